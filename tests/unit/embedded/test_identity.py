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


@pytest.mark.parametrize("stale", ["link", "folder", "file"])
def test_what_is_in_the_way_is_removed_and_no_link_followed(home: Home, stale: str) -> None:
    victim = home.path / "victim"
    victim.mkdir()
    (victim / "kept").touch()
    new = home.path / "redis.new"
    if stale == "link":
        new.symlink_to(victim)
    elif stale == "folder":
        new.mkdir()
        (new / "old").touch()
    else:
        new.touch()
    identity = Identity(65534, 65534, "65534:65534") if IS_ROOT else Identity(os.geteuid(), 0)

    identity.make(home.redis)

    assert victim.stat().st_uid == os.geteuid()
    assert (victim / "kept").exists()
    assert not home.redis.is_symlink()
    assert home.redis.stat().st_uid == identity.uid
    assert list(home.redis.iterdir()) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root gives files away")
def test_a_link_is_given_away_and_not_what_it_points_to(home: Home) -> None:
    victim, link = home.path / "victim", home.path / "link"
    victim.touch()
    link.symlink_to(victim)

    Identity(65534, 65534, "65534:65534").own(link)

    assert victim.stat().st_uid == 0
    assert link.lstat().st_uid == 65534


def test_a_user_without_a_name_has_a_number() -> None:
    assert user_name(4000000001) == "user 4000000001"
