"""Stop a process in its tracks and let it go on (Linux). It ends no process."""

import os
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from rightstore.clock import SYSTEM, Clock
from rightstore.errors import UsageError
from rightstore.testing.wait import until


@asynccontextmanager
async def suspended(*pids: int, clock: Clock = SYSTEM) -> AsyncGenerator[None]:
    """Hold these processes still for the block, all their threads; they always go on after it.

    A server of several processes stands still only when each of them is named. One that is killed
    meanwhile is no error.
    """
    try:
        for pid in pids:
            _stop(pid)
        await until(lambda: all(map(_is_stopped, pids)), clock=clock)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _stop(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        raise UsageError(f"There is no process {pid} to suspend: it ended already.") from None


def _is_stopped(pid: int) -> bool:
    """Say whether no thread of it runs; one that has ended cannot run either."""
    return all(state in "TtZX" for state in _states(pid))


def _states(pid: int) -> Iterator[str]:
    for file in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            # The name before it may itself hold blanks and brackets.
            yield file.read_text().rpartition(") ")[2][0]
