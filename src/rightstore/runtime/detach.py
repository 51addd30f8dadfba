"""Start a program that goes on without us, and stay until it says that it is ready, or ends.

The program gets a pipe: each line it writes there is progress, the line `READY` is the last one.
"""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from rightstore.runtime.process import open_log

READY = "ready"


def start_detached(argv: Sequence[str], log: Path, report: Callable[[str], None]) -> int | None:
    """Return None once it is ready, else its exit code; its progress is reported meanwhile."""
    reading, writing = os.pipe()
    output = open_log(log)
    try:
        child = subprocess.Popen(
            [*argv, f"--ready-fd={writing}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[writing],
        )
    finally:
        os.close(output)
        os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as progress:
        for line in progress:
            if line.strip() == READY:
                # It is not our child any more: nobody will ask for its exit code.
                child.returncode = 0
                return None
            report(line.rstrip("\n"))
    return child.wait()


class Herald:
    """The other end of the pipe: tells the waiting process, if there is one, how far we are."""

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    def report(self, line: str) -> None:
        """Pass on a line of progress; nobody listening is no error."""
        if self._handle is None:
            return
        try:
            os.write(self._handle, f"{line}\n".encode())
        except BrokenPipeError:
            self._handle = None

    def ready(self) -> None:
        """Say that it is done, and let the waiting process go."""
        self.report(READY)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
