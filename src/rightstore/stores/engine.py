"""The stores that one application uses, opened together and closed together. It places nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from rightstore import wiring
from rightstore.clock import Clock
from rightstore.model.declaration import StoreName
from rightstore.ports.connection import Connection, Target
from rightstore.ports.portability import Portability
from rightstore.ports.records import RecordStore
from rightstore.ports.relational import Relational
from rightstore.stores.portability import Kind
from rightstore.telemetry.connection import Measured
from rightstore.telemetry.records import MeasuredStore
from rightstore.telemetry.relational import MeasuredRelational

MEMORY = "memory"


def kind_of(store: StoreName) -> Kind:
    """Return what this kind of store can hold; no server is asked, and no driver needed."""
    return Kind(
        wiring.part(store, "portability"),
        wiring.part(store, "capabilities"),
        has_tables="relational" in wiring.ADAPTERS[store].parts,
    )


def searchers() -> Mapping[str, Portability]:
    """Return what judges, for each store of search, whether it can search an entity."""
    found: dict[str, Portability] = {}
    for store, adapter in wiring.ADAPTERS.items():
        if "searchable" in adapter.parts:
            found[store] = wiring.part(store, "searchable")
        elif "search" in adapter.parts:
            found[store] = lambda declaration: ()
    return found


@dataclass(frozen=True, slots=True)
class Engine:
    """One store, open: its records, measured; its connection, for the other parts of its room.

    `again` makes another store of records on it, not measured. `measured` is the same connection as
    it is asked after its health. Memory has none.
    """

    store: str
    records: RecordStore
    again: Callable[[], RecordStore]
    connection: Connection | None = None
    measured: Connection | None = None

    @property
    def client(self) -> object:
        """The driver's own client; None in memory."""
        if self.connection is None:
            return None
        return getattr(self.connection, wiring.ADAPTERS[self.store].client)

    @property
    def connections(self) -> int | None:
        """How many connections its pool has, where the driver tells."""
        size = getattr(self.client, "get_size", None)
        return int(size()) if callable(size) else None


def in_memory(clock: Clock) -> Engine:
    """Return a store in this process."""
    make = partial(wiring.resolve(wiring.MEMORY), clock)
    return Engine(MEMORY, MeasuredStore(make(), MEMORY, clock), make)


@asynccontextmanager
async def tables(engine: Engine, namespace: str, clock: Clock) -> AsyncIterator[Relational]:
    """Make the tables of an application reachable, from their first use to the end."""
    made = wiring.part(engine.store, "relational")(engine.connection, namespace, clock)
    try:
        yield MeasuredRelational(made, engine.store, clock)
    finally:
        await made.close()


@asynccontextmanager
async def engines(
    targets: Collection[Target], namespace: str, clock: Clock
) -> AsyncIterator[Mapping[str, Engine]]:
    """Open these stores at once; on any failure, and at the end, close every one of them."""
    bare = [wiring.bare_connection(target, clock) for target in targets]
    opening = [asyncio.ensure_future(_engine(each, namespace, clock)) for each in bare]
    try:
        made = await _all(opening)
        yield {engine.store: engine for engine in made}
    finally:
        await asyncio.gather(*(Measured(each, clock).close() for each in bare))


async def _all(opening: Collection[asyncio.Future[Engine]]) -> Collection[Engine]:
    """Wait for all; when one fails end the others first, so that none opens unseen."""
    try:
        return await asyncio.gather(*opening)
    finally:
        for one in opening:
            one.cancel()
        await asyncio.gather(*opening, return_exceptions=True)


async def _engine(connection: Connection, namespace: str, clock: Clock) -> Engine:
    """Open a store and ask its server what it can do, where kinds of servers differ."""
    name, measured = connection.store, Measured(connection, clock)
    await measured.open()
    able = {}
    if "probe" in wiring.ADAPTERS[name].parts:
        able["capabilities"] = await wiring.part(name, "probe")(connection)
    make = partial(wiring.part(name, "store"), connection, namespace, clock, **able)
    return Engine(name, MeasuredStore(make(), name, clock), make, connection, measured)
