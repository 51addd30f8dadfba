"""Time as an argument: the only module that reads the clock of the machine.

Safety never rests on these readings (a clock may hint, a state decides); leases and timers use the
clock of the store.
"""

import asyncio
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, how much has passed, and how to wait."""

    def now(self) -> datetime:
        """Return the time of day in UTC, cut to milliseconds: every store keeps these exactly."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds, or raise at once when cancelled."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the time of day in UTC, cut to milliseconds."""
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Return seconds since some moment in the past."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(seconds)


SYSTEM: Clock = SystemClock()
current: ContextVar[Clock] = ContextVar("rightstore_clock", default=SYSTEM)


def now() -> datetime:
    """Return the time of day in UTC, in milliseconds; in tests that of the virtual clock."""
    return current.get().now()
