"""One child process: as whom it runs, what it inherits, and what is left of it."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

from rightstore.clock import SYSTEM
from rightstore.runtime.process import (
    LAUNCHER,
    LOG_LIMIT,
    Command,
    Process,
    born,
    last_words,
    leftovers,
    open_log,
    run,
    sweep,
)
from rightstore.testing.wait import until

SLEEPER = (sys.executable, "-S", "-c", "import signal; signal.pause()")


SERVERS = frozenset({"server", "timeit"})


def command(folder: Path, *argv: str, private: frozenset[str] = frozenset()) -> Command:
    return Command("one", argv or SLEEPER, folder, folder.parent / "one.log", private=private)


def server(folder: Path) -> tuple[str, ...]:
    """Return a command line of a program that is called as a server is."""
    path = folder / "server"
    if not path.exists():
        shutil.copy("/bin/sleep", path)
    return str(path), "600"


async def test_a_child_works_in_its_folder_and_in_a_session_of_its_own(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()

    process = await Process.start(command(work), SYSTEM)

    assert os.getsid(process.pid) == process.pid
    await until(lambda: leftovers(work) == [process.pid])
    await process.stop(SYSTEM)


async def test_a_child_ignores_no_signal(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()

    code, words = await run(command(work, "/bin/grep", "SigIgn", "/proc/self/status"), SYSTEM)

    assert code == 0
    # Above 31 are those that the C library keeps for itself: nobody can reset them.
    assert int(words.split()[1], 16) & 0x7FFFFFFF == 0


async def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    launched = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(LAUNCHER), "", "9", "1", "/", "/bin/true")
    )

    assert await launched.wait() == 125


async def test_the_launcher_loads_nothing_of_ours() -> None:
    launcher = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-X", "importtime", str(LAUNCHER)),
        *("", "9", str(os.getpid()), "/", "/bin/true"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await launcher.communicate()

    assert launcher.returncode == 0
    assert b"rightstore" not in told
    assert b"asyncio" not in told


async def test_leftovers_are_found_by_their_folder_and_ended(tmp_path: Path) -> None:
    work, other = tmp_path / "work", tmp_path / "other"
    (work / "below").mkdir(parents=True)
    other.mkdir()
    mine = await Process.start(command(work / "below", *server(tmp_path)), SYSTEM)
    theirs = await Process.start(command(other, *server(tmp_path)), SYSTEM)
    await until(lambda: leftovers(work) == [mine.pid] and leftovers(other) == [theirs.pid])

    left = await sweep(work, SYSTEM, SERVERS)

    assert left == []
    assert leftovers(other) == [theirs.pid]
    assert await mine.wait() == -signal.SIGKILL
    await theirs.stop(SYSTEM)


async def test_a_person_who_stands_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    person = await Process.start(command(work, "/bin/sleep", "600"), SYSTEM)
    script = await Process.start(command(work), SYSTEM)
    await until(lambda: sorted(leftovers(work)) == sorted([person.pid, script.pid]))

    left = await sweep(work, SYSTEM, SERVERS)

    assert left == []
    assert born(person.pid) == person.born
    assert born(script.pid) == script.born
    await person.stop(SYSTEM)
    await script.stop(SYSTEM)


async def test_a_server_that_python_runs_is_known_by_its_module(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    endless = (sys.executable, "-m", "timeit", "-n", "1", "-s", "import signal", "signal.pause()")
    old = await Process.start(command(work, *endless), SYSTEM)
    await until(lambda: leftovers(work, SERVERS) == [old.pid])

    left = await sweep(work, SYSTEM, SERVERS)

    assert left == []
    assert await old.wait() == -signal.SIGKILL


async def test_a_server_whose_program_was_replaced_is_a_leftover_still(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    old = await Process.start(command(work, *server(tmp_path)), SYSTEM)
    await until(lambda: leftovers(work, SERVERS) == [old.pid])
    (tmp_path / "server").unlink()

    await sweep(work, SYSTEM, SERVERS)

    assert await old.wait() == -signal.SIGKILL


async def test_a_private_folder_is_cleared_before_a_start(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    old = await Process.start(command(work, *server(tmp_path)), SYSTEM)
    await until(lambda: leftovers(work) == [old.pid])

    new = await Process.start(command(work, private=SERVERS), SYSTEM)

    assert await old.wait() == -signal.SIGKILL
    await until(lambda: leftovers(work) == [new.pid])
    await new.stop(SYSTEM)


async def test_a_process_is_known_by_its_birth(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    process = await Process.start(command(work), SYSTEM)
    birth = process.born

    same = born(process.pid)
    await process.stop(SYSTEM)

    assert birth == same > 0
    assert born(process.pid) == 0


def test_a_large_log_is_kept_once(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    old = tmp_path / "one.log.1"
    old.write_text("older")
    log.write_text("x" * (LOG_LIMIT + 1))

    os.close(open_log(log))

    assert log.read_text() == ""
    assert old.stat().st_size == LOG_LIMIT + 1


def test_the_last_trouble_is_quoted_and_a_full_disk_before_all(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    log.write_text("ERROR: of an earlier start\n")
    offset = log.stat().st_size

    said = []
    for more in ("good bye\n", "FATAL: wrong\nshut down\n", "No space left on device\nPANIC\n"):
        with log.open("a") as file:
            file.write(more)
        said.append(last_words(log, offset))

    assert said == ["good bye", "FATAL: wrong", "No space left on device"]
    assert last_words(tmp_path / "nowhere", 0) == ""
