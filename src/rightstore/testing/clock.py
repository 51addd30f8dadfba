"""A clock that a test turns by hand. It moves no server's clock and no timeout of asyncio."""

import asyncio
from contextvars import Token
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Self

from rightstore.clock import Clock, current
from rightstore.errors import UsageError

# How often the event loop turns for what was woken to run on until it waits again.
TURNS = 50


class VirtualClock:
    """Time that stands still until `advance`; `with VirtualClock() as clock` makes it current.

    It is current for the block and for the tasks that start there.
    """

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._passed = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._tokens: list[Token[Clock]] = []
        self.set(start)

    def now(self) -> datetime:
        """Return the time of day in UTC, cut to milliseconds."""
        moment = self._origin + timedelta(seconds=self._passed)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Return the seconds that were advanced so far."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has advanced the clock so far; not above 0 lets others run once."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seconds > 0:
            heappush(self._sleepers, (self._passed + seconds, next(self._order), woken))
        else:
            asyncio.get_running_loop().call_soon(_wake, woken)
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass: wake sleepers in the order of their moments, each at its own.

        What wakes runs on until it waits again, for 50 turns of the loop at most; it may sleep
        again and be woken again before this returns. Nobody waits for answers from the network.
        """
        if seconds < 0:
            raise UsageError("Time does not run backwards: skew the time of day with set().")
        end = self._passed + seconds
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._passed, _, woken = heappop(self._sleepers)
            _wake(woken)
            await _settle()
        self._passed = end

    def set(self, moment: datetime) -> None:
        """Skew the time of day, either way; `monotonic` and sleepers do not notice."""
        if moment.utcoffset() is None:
            raise UsageError("The time of a clock needs a zone: pass tzinfo=UTC.")
        self._origin = moment.astimezone(UTC) - timedelta(seconds=self._passed)

    def __enter__(self) -> Self:
        self._tokens.append(current.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        current.reset(self._tokens.pop())


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


async def _settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)  # noqa: TID251 - one turn of the loop, no time
