import errno
import os
import stat
from pathlib import Path

import pytest

from rightstore.clock import SYSTEM
from rightstore.embedded.home import Home, explain, read_json, take_lock, write
from rightstore.errors import RightstoreError, UnavailableError, UsageError


def test_a_new_home_is_ours_alone_and_never_committed(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b")

    home.prepare()

    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert (home.path / ".gitignore").read_text() == "*\n"


def test_a_folder_that_holds_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    tmp_path.chmod(0o755)

    with pytest.raises(UsageError, match=r"holds other things \(thesis.txt\)"):
        Home(tmp_path).prepare()

    assert sorted(each.name for each in tmp_path.iterdir()) == ["thesis.txt"]
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_home_in_use_may_hold_what_people_put_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.lock.touch()
    (tmp_path / "notes.txt").touch()

    home.prepare()

    assert home.logs.is_dir()


async def test_a_lock_has_one_holder_and_is_free_when_closed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    before = home.holder()

    handle = await take_lock(home, SYSTEM)

    assert before is None
    assert home.is_locked()
    assert home.holder() == os.getpid()
    with pytest.raises(UsageError, match=f"already running \\(pid {os.getpid()}\\)"):
        await take_lock(home, SYSTEM)
    os.close(handle)
    assert not home.is_locked()
    assert home.holder() is None


async def test_a_lock_whose_pid_is_another_is_not_believed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    handle = await take_lock(home, SYSTEM)
    home.lock.write_text("1")

    with pytest.raises(UsageError, match="held by a process that cannot be seen"):
        home.holder()

    os.close(handle)


def test_a_home_that_is_not_there_has_no_holder(tmp_path: Path) -> None:
    assert Home(tmp_path / "nowhere").holder() is None
    assert not Home(tmp_path / "nowhere").is_locked()


@pytest.mark.parametrize(
    ("number", "kind", "remedy"),
    [
        (errno.ENOSPC, UnavailableError, "free some space"),
        (errno.EDQUOT, UnavailableError, "free some space"),
        (errno.EACCES, UsageError, "cannot be written or read by this user"),
        (errno.EROFS, UsageError, "cannot be written or read by this user"),
        (errno.ENOTDIR, UsageError, "is a file, not a folder"),
        (errno.EIO, UsageError, "RIGHTSTORE_HOME"),
    ],
)
def test_every_trouble_has_a_remedy(number: int, kind: type[RightstoreError], remedy: str) -> None:
    error = explain(OSError(number, os.strerror(number)), Path("/data"))

    assert type(error) is kind
    assert "/data" in str(error)
    assert remedy in str(error)
    assert "\n" not in str(error)


def test_a_file_is_written_whole_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.with_name("secrets.json.new").write_text("half of an earlier att")

    write(path, '{"a": 1}')

    assert read_json(path) == {"a": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secrets.json"]


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text("{")

    with pytest.raises(UsageError, match="is not JSON any more"):
        read_json(path)
