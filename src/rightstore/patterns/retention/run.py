"""The loop that removes what has expired: a batch, a pause, the next; all done, a longer rest.

It retries what a store did not do at its next round, and decides nothing about what has expired.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rightstore.clock import SYSTEM, Clock
from rightstore.errors import StoreError

Remove = Callable[[int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What expires under one name, and what removes up to so many of it."""

    name: str
    remove: Remove


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is removed at once, and how long it rests in between, in seconds."""

    batch: int = 500
    pause: float = 0.05
    rest: float = 60.0


class Retention:
    """Removes until it is stopped; any number of processes may do it side by side."""

    def __init__(
        self,
        sweeps: Sequence[Sweep],
        *,
        clock: Clock = SYSTEM,
        pace: Pace = Pace(),
        removed: Callable[[str, int], None] = lambda name, count: None,
        failed: Callable[[str, StoreError], None] = lambda name, error: None,
    ) -> None:
        self._sweeps, self._clock, self._pace = tuple(sweeps), clock, pace
        self._removed, self._failed = removed, failed

    async def run(self, stopping: asyncio.Event) -> None:
        """Go round until told to stop; a batch that has begun is finished first."""
        while not stopping.is_set():
            for sweep in self._sweeps:
                await self._drain(sweep, stopping)
            # Many workers that started together shall not come together for ever.
            await self._wait(self._pace.rest * random.uniform(0.5, 1.5), stopping)  # noqa: S311 - no secret

    async def once(self) -> int:
        """Remove all that has expired now; return how much it was. StoreError as it comes."""
        total = 0
        for sweep in self._sweeps:
            while count := await sweep.remove(self._pace.batch):
                total += count
        return total

    async def _drain(self, sweep: Sweep, stopping: asyncio.Event) -> None:
        try:
            while not stopping.is_set():
                count = await sweep.remove(self._pace.batch)
                if count:
                    self._removed(sweep.name, count)
                if count < self._pace.batch:
                    return
                await self._wait(self._pace.pause, stopping)
        except StoreError as error:
            self._failed(sweep.name, error)

    async def _wait(self, seconds: float, stopping: asyncio.Event) -> None:
        """Rest on the clock, unless told to stop meanwhile."""
        rest = asyncio.ensure_future(self._clock.sleep(seconds))
        stop = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait((rest, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            rest.cancel()
            stop.cancel()
            await asyncio.gather(rest, stop, return_exceptions=True)
