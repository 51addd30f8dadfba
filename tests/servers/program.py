"""Starts the servers together, does what was asked with them, and stops them whatever happens."""

import asyncio
import os
import shlex
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from rightstore.clock import SYSTEM
from tests.servers.catalog import SERVERS, install
from tests.servers.folder import RunFolder, home, write
from tests.servers.process import Processes, bound
from tests.servers.report import say
from tests.servers.run import Environment, Run
from tests.servers.together import together

GRACE = 15
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt(Exception):  # noqa: N818 - it is no error: somebody asked us to end
    """A signal ended the program, and all is cleaned up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


async def run(names: Iterable[str], command: list[str]) -> int:
    """Start the servers, run the command with their URLs and return its exit code."""
    async with _interruptible() as received, _servers(names) as environment:
        say(f"running {shlex.join(command)}")
        return await _command(command, environment, received)


async def up(names: Iterable[str]) -> int:
    """Start the servers and keep them until a signal comes."""
    async with _interruptible(), _servers(names) as environment:
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
        file = write(home() / "env", "".join(lines))
        try:
            say(f"up; the variables are in {file}; Ctrl-C stops them")
            await asyncio.Event().wait()
        finally:
            file.unlink(missing_ok=True)
    return 0


@asynccontextmanager
async def _interruptible() -> AsyncIterator[list[int]]:
    """Cancel the work at the first signal; later ones do not disturb the cleaning up."""
    work = asyncio.current_task()
    received: list[int] = []

    def interrupt(number: int) -> None:
        received.append(number)
        if work is not None and len(received) == 1:
            work.cancel()

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
    try:
        yield received
    except asyncio.CancelledError:
        raise Interrupt(received[0]) from None


@asynccontextmanager
async def _servers(names: Iterable[str]) -> AsyncIterator[Environment]:
    names = list(names)
    await install(names)
    folder = RunFolder()
    processes = Processes(folder.path)
    try:
        yield await _start(names, Run(folder, processes))
    finally:
        await processes.stop()
        folder.remove()


async def _start(names: list[str], run: Run) -> Environment:
    say(f"starting {', '.join(names)} in {run.folder.path}")
    started = await together(_start_one(name, run) for name in names)
    environment = {name: value for one in started for name, value in one.items()}
    for name, value in environment.items():
        say(f"  {name}={value}")
    return environment | {"REQUIRE_SERVERS": "1"}


async def _start_one(name: str, run: Run) -> Environment:
    began = SYSTEM.monotonic()
    environment = await SERVERS[name].start(run)
    say(f"{name} answers after {SYSTEM.monotonic() - began:.1f} s")
    return environment


async def _command(command: list[str], environment: Environment, received: list[int]) -> int:
    """Run a command of the user's, in our process group: Ctrl-C reaches it too."""
    process = await asyncio.create_subprocess_exec(
        *bound(command, account=None, last=signal.SIGTERM), env={**os.environ, **environment}
    )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        # A Ctrl-C has reached the command as well: a second one would cut its own cleaning short.
        await _wind_down(process, wait=received == [signal.SIGINT])
        raise
    return 128 - code if code < 0 else code


async def _wind_down(process: Process, *, wait: bool) -> None:
    """End the command: by itself if it is to wait, then when asked to, and at last in any case."""
    signals = (None, signal.SIGTERM, signal.SIGKILL) if wait else (signal.SIGTERM, signal.SIGKILL)
    for number in signals:
        with suppress(ProcessLookupError):
            if number is not None:
                process.send_signal(number)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await process.wait()
                return
