import os
from pathlib import Path

import pytest

from rightstore.clock import SYSTEM
from rightstore.embedded.home import Home
from rightstore.embedded.identity import Identity, choose, owner_of_data, user_name
from rightstore.errors import NotConfiguredError

WORKS = ("/bin/true",)
FAILS = ("/bin/false",)
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


async def test_servers_never_run_as_root_and_own_their_folder(home: Home) -> None:
    identity = await choose(home, [WORKS], SYSTEM)

    identity.make(home.redis)

    assert bool(identity.launch) == IS_ROOT
    assert owner_of_data(home) == identity.uid


async def test_the_owner_of_the_data_decides_later_on(home: Home) -> None:
    first = await choose(home, [WORKS], SYSTEM)
    first.make(home.postgres)

    assert await choose(home, [WORKS], SYSTEM) == first


async def test_a_program_that_nobody_can_run_is_told_in_one_line(home: Home) -> None:
    with pytest.raises(NotConfiguredError) as raised:
        await choose(home, [WORKS, FAILS], SYSTEM)

    assert "/bin/false ended with code 1" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(not IS_ROOT, reason="only root lends its servers to another user")
async def test_root_in_a_folder_of_its_own_keeps_the_files(home: Home) -> None:
    home.path.parent.chmod(0o700)

    identity = await choose(home, [WORKS], SYSTEM)

    assert identity.uid == 0
    assert identity.launch == "mapped:65534:65534"
    assert home.path.stat().st_mode & 0o777 == 0o700


def test_a_folder_belongs_to_its_user_from_the_first_moment(home: Home) -> None:
    identity = Identity(os.geteuid(), os.getegid())

    identity.make(home.redis)
    identity.make(home.redis)

    assert home.redis.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in home.path.glob("redis*")] == ["redis"]


def test_a_user_without_a_name_has_a_number() -> None:
    assert user_name(4000000001) == "user 4000000001"
