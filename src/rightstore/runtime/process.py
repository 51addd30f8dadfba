"""One child process: started so that it cannot outlive us, waited for, stopped; never restarted."""

import asyncio
import os
import signal
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

from rightstore.clock import Clock

LAUNCHER = Path(__file__).with_name("launch.py")
LOG_LIMIT = 10 * 1024 * 1024
PROC = Path("/proc")
FULL = ("No space left on device", "Disk quota exceeded")
TROUBLE = ("PANIC", "FATAL", "ERROR", "error", "Error", "cannot", "refuse")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, in which folder, as whom, and how it ends.

    `user` is what launch.py reads: empty for ourselves, `uid:gid`, or `mapped:uid:gid`. Who is
    found working below the folder and runs a `private` program is a leftover of a dead server.
    """

    name: str
    argv: tuple[str, ...]
    folder: Path
    log: Path
    user: str = ""
    environment: Mapping[str, str] | None = None
    private: frozenset[str] = frozenset()
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace: float = 10.0


class Process:
    """A child in a session of its own; the kernel signals it when we die."""

    def __init__(self, command: Command, child: asyncio.subprocess.Process, offset: int) -> None:
        self.command = command
        self.pid = child.pid
        self.born = born(child.pid)
        self._child = child
        self._offset = offset

    @classmethod
    async def start(cls, command: Command, clock: Clock) -> Self:
        """Start it, after whatever an earlier one left behind has been ended."""
        if command.private:
            await sweep(command.folder, clock, command.private)
        log = open_log(command.log)
        # Before it starts: it may have said its last word when we look again.
        offset = os.fstat(log).st_size
        try:
            child = await asyncio.create_subprocess_exec(
                *_launch(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=command.environment,
            )
            return cls(command, child, offset)
        finally:
            os.close(log)

    async def wait(self) -> int:
        """Wait until it has ended and return its exit code, negative for a signal."""
        return await self._child.wait()

    async def stop(self, clock: Clock) -> None:
        """Ask it to stop, and end it and its whole group by force after its grace."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.command.grace):
                    self.signal(self.command.stop_signal)
                    await self._child.wait()
        finally:
            self.kill()
        await self._child.wait()
        if self.command.private:
            await sweep(self.command.folder, clock, self.command.private)

    def signal(self, number: signal.Signals) -> None:
        """Send the process itself a signal, if it still runs."""
        with suppress(ProcessLookupError):
            self._child.send_signal(number)

    def kill(self) -> None:
        """End its whole group at once; also what a leader that is gone has left in it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def last_words(self) -> str:
        """Return the line of its log, since its start, that most likely says what went wrong."""
        return last_words(self.command.log, self._offset)


async def run(command: Command, clock: Clock) -> tuple[int, str]:
    """Run a command to its end; return its exit code and its last words."""
    process = await Process.start(command, clock)
    try:
        return await process.wait(), process.last_words()
    finally:
        process.kill()


def ending(code: int) -> str:
    """Say how a process ended."""
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"


def last_words(log: Path, offset: int) -> str:
    """Return the line of a log, after this many bytes, that most likely says what went wrong."""
    try:
        with log.open("rb") as file:
            file.seek(max(offset, file.seek(0, os.SEEK_END) - 8192))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    full, troubles = (
        [line for line in said if any(word in line for word in words)] for words in (FULL, TROUBLE)
    )
    return (full or troubles or said or [""])[-1]


def open_log(path: Path) -> int:
    """Open a log to append to; a large one becomes the old one, of which one is kept."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def born(pid: int) -> int:
    """Return the moment of a process's birth in the kernel's ticks, 0 when it is gone.

    Together with the pid it names one process for ever: a pid alone is used again.
    """
    try:
        line = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    state, *rest = line.rpartition(")")[2].split()
    return 0 if state in "ZX" else int(rest[18])


def leftovers(folder: Path, programs: Collection[str] | None = None) -> list[int]:
    """Return the processes that work in this folder or below it, if they run one of these."""
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                is_there = (entry / "cwd").readlink().is_relative_to(folder)
                if is_there and (programs is None or _runs(entry, programs)):
                    found.append(int(entry.name))
    return found


def _runs(entry: Path, programs: Collection[str]) -> bool:
    """Tell whether a process runs one of these programs, or Python one of these modules.

    By name, not by place: what another installation has left holds our files all the same. And by
    the file that runs, since a server writes what it likes into its command line.
    """
    program = (entry / "exe").readlink().name.removesuffix(" (deleted)")
    if program in programs:
        return True
    if not program.startswith("python"):
        return False
    words = (entry / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    return any(flag == "-m" and module in programs for flag, module in pairwise(words))


async def sweep(
    folder: Path, clock: Clock, programs: Collection[str], *, within: float = 5.0
) -> list[int]:
    """End who works in this folder and runs one of these; return who could not be ended in time.

    A server that was killed may leave children that hold its memory and its files; each has left
    the server's process group. A person may stand in the folder too, and is left alone.
    """
    end = clock.monotonic() + within
    while left := leftovers(folder, programs):
        if clock.monotonic() > end:
            break
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        await clock.sleep(0.01)
    return left


def _launch(command: Command) -> tuple[str, ...]:
    return (
        sys.executable,
        "-I",
        "-S",
        str(LAUNCHER),
        command.user,
        str(int(command.death_signal)),
        str(os.getpid()),
        str(command.folder),
        *command.argv,
    )
