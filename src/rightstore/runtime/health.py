"""Whether this process can do its work: every store asked at once, the answer kept for a moment.

It opens no connection and judges no data. However many ask, the stores see one round a second.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from rightstore.clock import SYSTEM, Clock
from rightstore.errors import RightstoreError
from rightstore.ports.connection import Connection
from rightstore.ports.placement import Atlas, Placement
from rightstore.telemetry.alarm import STORE_UNAVAILABLE, Alarms
from rightstore.telemetry.log import mask

SLOW = 0.5
REQUIRED = frozenset({"postgres"})
# Seconds for which an answer stands.
FRESH = 1.0
# Seconds for which placements are taken to stay: they change when an application is new, or moves.
LOCATED = 15.0
Status = Literal["ok", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """How one store answered: latency in seconds, and why it is down."""

    status: Status
    latency: float | None = None
    version: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The judgement over all: down without a required store, degraded with any other fault.

    `placements` are those of each application that is known to the control store; where an entity
    lives in another store than its home is no fault, but not to be hidden.
    """

    status: Status
    stores: Mapping[str, StoreHealth]
    placements: Mapping[str, Sequence[Placement]] = field(default_factory=dict)

    def elsewhere(self) -> Iterator[tuple[str, Placement]]:
        """Yield each entity that does not live at home, with its application."""
        for application, placements in self.placements.items():
            for placement in placements:
                if placement.is_elsewhere:
                    yield application, placement


class Health:
    """Asks every store; sounds and clears STORE_UNAVAILABLE by what it hears."""

    def __init__(
        self,
        connections: Sequence[Connection],
        *,
        alarms: Alarms,
        clock: Clock = SYSTEM,
        patience: float = 2.0,
        atlas: Atlas | None = None,
    ) -> None:
        self._connections = connections
        self._alarms = alarms
        self._clock = clock
        self._patience = patience
        self._atlas = atlas
        self._located: tuple[float, Mapping[str, Sequence[Placement]]] | None = None
        self._last: tuple[float, Mapping[str, StoreHealth]] | None = None
        self._round: asyncio.Task[Mapping[str, StoreHealth]] | None = None

    async def check(self) -> HealthReport:
        """Return how the stores are, as of now or at most a second ago."""
        stores = await self._stores()
        placements = self._located[1] if self._located else {}
        return HealthReport(self._judge(stores), stores, placements)

    async def _stores(self) -> Mapping[str, StoreHealth]:
        if self._last is not None and self._clock.monotonic() - self._last[0] < FRESH:
            return self._last[1]
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._ask_all())
        # Others wait for the same round: one caller who gives up must not end it.
        return await asyncio.shield(self._round)

    async def _ask_all(self) -> Mapping[str, StoreHealth]:
        answers = await asyncio.gather(*map(self._ask, self._connections))
        names = (connection.store for connection in self._connections)
        stores = dict(zip(names, answers, strict=True))
        for name, health in stores.items():
            if health.error is None:
                self._alarms.clear(STORE_UNAVAILABLE, name)
            else:
                self._alarms.sound(STORE_UNAVAILABLE, name, health.error)
        if stores and all(stores[name].status != "down" for name in REQUIRED & set(stores)):
            await self._locate()
        self._last = (self._clock.monotonic(), stores)
        return stores

    async def _locate(self) -> None:
        """Read where entities live, now and then; without an answer the last one stands."""
        now = self._clock.monotonic()
        if self._atlas is None or (self._located and now - self._located[0] < LOCATED):
            return
        with suppress(TimeoutError, RightstoreError):
            async with asyncio.timeout(self._patience):
                self._located = (now, await self._atlas())

    async def _ask(self, connection: Connection) -> StoreHealth:
        try:
            async with asyncio.timeout(self._patience):
                pong = await connection.ping()
        except TimeoutError:
            return StoreHealth("down", error=f"no answer within {self._patience:g} s")
        except RightstoreError as error:
            return StoreHealth("down", error=mask(str(error)))
        return StoreHealth("degraded" if pong.latency > SLOW else "ok", pong.latency, pong.version)

    def _judge(self, stores: Mapping[str, StoreHealth]) -> Status:
        if any(health.status == "down" and name in REQUIRED for name, health in stores.items()):
            return "down"
        fault = any(health.status != "ok" for health in stores.values())
        return "degraded" if fault or self._alarms.sounding() else "ok"
