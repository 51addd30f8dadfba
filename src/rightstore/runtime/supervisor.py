"""Keep a group of programs alive: wait until each is ready, start it again when it dies, stop all.

It knows nothing of what the programs do; whether one is ready is asked of the probe given with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import structlog

from rightstore.clock import Clock
from rightstore.errors import RejectedError, RightstoreError, UnavailableError
from rightstore.runtime.process import Command, Process, ending
from rightstore.telemetry.alarm import SERVER_DOWN, Alarms

logger = structlog.get_logger(__name__)

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 60.0
ALARM_AFTER = 5.0
PROBE_PAUSES = (0.01, 0.25)
CANCEL_AGAIN = 0.1
STILL_PERIOD = 10.0

Status = Literal["starting", "ready", "down", "stopped"]


@dataclass(frozen=True, slots=True)
class Program:
    """What to keep alive, and a probe that raises StoreError until it serves."""

    command: Command
    ready: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Condition:
    """How one program is now; `born` with `pid` names its process, a pid alone is used again."""

    name: str
    status: Status
    pid: int | None
    born: int
    restarts: int
    since: datetime
    log: Path


class Supervised:
    """One program, kept alive."""

    def __init__(
        self, program: Program, clock: Clock, alarms: Alarms, changed: Callable[[], None]
    ) -> None:
        self._program = program
        self._clock = clock
        self._alarms = alarms
        self._changed = changed
        self._process: Process | None = None
        self._status: Status = "starting"
        self._since = clock.now()
        self._restarts = 0
        self._deaths = 0
        self._ready_at = 0.0

    @property
    def name(self) -> str:
        """The name of the program."""
        return self._program.command.name

    @property
    def grace(self) -> float:
        """How long its stop may take."""
        return self._program.command.grace

    def condition(self) -> Condition:
        """Return how it is now."""
        pid, birth = (self._process.pid, self._process.born) if self._process else (None, 0)
        log = self._program.command.log
        return Condition(self.name, self._status, pid, birth, self._restarts, self._since, log)

    async def start(self, within: float | None) -> None:
        """Start it and return when it is ready; raise when it dies first, or is not in time."""
        self._process = process = await Process.start(self._program.command, self._clock)
        self._enter("starting")
        await until_ready(process, self._program.ready, self._clock, within)
        self._ready_at = self._clock.monotonic()
        self._enter("ready")

    async def tell(self, report: Callable[[str], None]) -> None:
        """Say now and then that it is still starting, and what it says itself."""
        while True:
            await self._clock.sleep(STILL_PERIOD)
            words = self._process.last_words() if self._process is not None else ""
            report(f"{self.name}: still starting{f': {words}' if words else ''}")

    async def keep(self) -> None:
        """Start it again whenever it dies; returns only by cancellation."""
        while True:
            if self._process is not None:
                code = await self._process.wait()
                self._mourn(code)
            warning = asyncio.create_task(self._warn_later())
            try:
                await self._revive()
            finally:
                await end([warning])
            self._alarms.clear(SERVER_DOWN, self.name)

    async def stop(self) -> None:
        """Stop it, in its own way and within its grace; afterwards nothing of it is left."""
        if self._process is not None:
            await self._process.stop(self._clock)
            self._process = None
        self._enter("stopped")
        self._alarms.clear(SERVER_DOWN, self.name)

    def _mourn(self, code: int) -> None:
        if self._process is not None:
            self._process.kill()
        if self._clock.monotonic() - self._ready_at >= HEALTHY_AFTER:
            self._deaths = 0
        self._deaths += 1
        self._process = None
        self._enter("down")
        logger.warning("server died", server=self.name, code=code, deaths=self._deaths)
        if self._deaths > 1:
            self._alarms.sound(SERVER_DOWN, self.name, f"{self.name} {ending(code)}, once more")

    async def _revive(self) -> None:
        """Try until it is ready: at once the first time, then with growing pauses.

        Without a limit of time: a server that recovers a lot of data must not be disturbed.
        """
        while True:
            await self._clock.sleep(pause(self._deaths))
            self._restarts += 1
            try:
                await self.start(None)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try is due
                logger.warning("server not back", server=self.name, reason=str(error))
                await self._give_up_process()
                self._deaths += 1
                self._alarms.sound(SERVER_DOWN, self.name, str(error))
            else:
                return

    async def _give_up_process(self) -> None:
        if self._process is not None:
            await self._process.stop(self._clock)
            self._process = None
        self._enter("down")

    async def _warn_later(self) -> None:
        await self._clock.sleep(ALARM_AFTER)
        detail = f"{self.name} has been down for {ALARM_AFTER:g} seconds"
        self._alarms.sound(SERVER_DOWN, self.name, detail)

    def _enter(self, status: Status) -> None:
        self._status = status
        self._since = self._clock.now()
        self._changed()


class Supervisor:
    """A group of programs that live and end together."""

    def __init__(self, clock: Clock, alarms: Alarms, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._alarms = alarms
        self._changed = changed
        self._programs: list[Supervised] = []
        self._keepers: list[asyncio.Task[None]] = []

    def conditions(self) -> tuple[Condition, ...]:
        """Return how each program is now."""
        return tuple(program.condition() for program in self._programs)

    def grace(self) -> float:
        """Return how long a stop of all of them may take."""
        return max((program.grace for program in self._programs), default=0.0)

    async def start(
        self,
        program: Program,
        *,
        within: float = 60.0,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start a program, return when it is ready, and keep it alive from then on.

        Reports now and then that it is still starting. Raises UnavailableError when it ends or is
        not ready in time: the first start is not tried again, because what is wrong then is seldom
        cured by waiting.
        """
        supervised = Supervised(program, self._clock, self._alarms, self._changed)
        self._programs.append(supervised)
        telling = asyncio.create_task(supervised.tell(report))
        try:
            await supervised.start(within)
        finally:
            await end([telling])
        self._keepers.append(asyncio.create_task(supervised.keep(), name=supervised.name))

    async def stop(self) -> None:
        """Stop all of them, side by side; when this is cancelled they are ended by force."""
        await end(self._keepers)
        self._keepers.clear()
        await asyncio.gather(*(program.stop() for program in self._programs))


async def until_ready(
    process: Process, probe: Callable[[], Awaitable[None]], clock: Clock, within: float | None
) -> None:
    """Return when the probe succeeds; raise as soon as the process ends, or when time is up."""
    death = asyncio.create_task(process.wait())
    probing = asyncio.create_task(_probe(probe, clock))
    tasks: list[asyncio.Task[Any]] = [death, probing]
    if within is not None:
        tasks.append(asyncio.create_task(_pass(clock, within)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if death.done():
            raise _failed(process, f"{ending(death.result())} while starting")
        if not probing.done():
            raise _failed(process, f"is not ready after {within:g} seconds")
        probing.result()
    finally:
        await end(tasks)


async def _probe(probe: Callable[[], Awaitable[None]], clock: Clock) -> None:
    delay, longest = PROBE_PAUSES
    while True:
        try:
            await probe()
        except RejectedError:
            raise
        except RightstoreError:
            await clock.sleep(delay)
            delay = min(delay * 1.5, longest)
        else:
            return


async def _pass(clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)


def _failed(process: Process, what: str) -> UnavailableError:
    name, log = process.command.name, process.command.log
    words = process.last_words()
    message = f"{name} {what}{f': {words}' if words else ''} (its log is {log})"
    return UnavailableError(message, store=name, operation="start", outcome="not applied")


def pause(deaths: int) -> float:
    """Return how long to wait after so many deaths in a row: not at all the first time."""
    if deaths <= 1:
        return 0.0
    return float(min(FIRST_PAUSE * 2.0 ** min(deaths - 2, 20), LONGEST_PAUSE))


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel these tasks and wait until they are over; what they ended with is of no interest.

    Again and again, because drivers are known that lose a cancellation while they connect.
    """
    tasks = list(tasks)
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)
