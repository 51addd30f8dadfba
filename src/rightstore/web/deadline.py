"""One timer for all requests: one for each would cost a quarter of the edge. It cancels nothing."""

import asyncio
from typing import Protocol


class Expiring(Protocol):
    """What has a deadline."""

    def expire(self) -> None:
        """Its time is over."""
        ...


class Deadlines:
    """Gives everything the same time, counted from `watch`: so what came first is due first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[Expiring, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._armed = False

    def watch(self, what: Expiring) -> None:
        """Call its `expire` when the time is over, unless it is forgotten by then."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # Timers end with their loop: one that runs after another starts with none.
            self._due.clear()
            self._loop, self._armed = loop, False
        self._due[what] = loop.time() + self._seconds
        if not self._armed:
            self._arm(loop, self._seconds)

    def forget(self, what: Expiring) -> None:
        """It is done."""
        self._due.pop(what, None)

    def _arm(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._armed = True
        loop.call_later(seconds, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for what, moment in list(self._due.items()):
            if moment > now:
                self._arm(loop, moment - now)
                return
            del self._due[what]
            what.expire()
        self._armed = False
