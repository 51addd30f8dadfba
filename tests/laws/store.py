"""The stores of records that the laws are tried on, with room made for some entities.

Each is had twice: straight, to see the truth, and by way of a proxy that breaks the wire.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rightstore import wiring
from rightstore.clock import SYSTEM
from rightstore.model.declaration import Declaration
from rightstore.ports.connection import Target
from rightstore.ports.records import RecordStore
from rightstore.ports.schema import Schema
from rightstore.testing.detour import before, by_way_of
from rightstore.testing.proxy import Proxy

STORES = ("postgres", "mongodb", "dynamodb")


@dataclass(frozen=True, slots=True)
class Way:
    """One store twice: `straight`, and `broken` through the proxy, with less patience."""

    straight: RecordStore
    broken: RecordStore
    proxy: Proxy


@asynccontextmanager
async def opened(target: Target, namespace: str) -> AsyncIterator[RecordStore]:
    """Open a store of records for the block."""
    connection = wiring.bare_connection(target, SYSTEM)
    await connection.open()
    try:
        store: RecordStore = wiring.part(target.store, "store")(connection, namespace, SYSTEM)
        yield store
    finally:
        await connection.close()


@asynccontextmanager
async def room(
    target: Target, namespace: str, entities: Sequence[Declaration]
) -> AsyncIterator[None]:
    """Make room for entities in a store."""
    connection = wiring.bare_connection(target, SYSTEM)
    await connection.open()
    try:
        schema: Schema = wiring.part(target.store, "schema")(connection, namespace)
        for step in await schema.plan(entities):
            await schema.apply(step)
        yield
    finally:
        await connection.close()


@asynccontextmanager
async def both_ways(
    store: str, url: str, namespace: str, entities: Sequence[Declaration], *, timeout: float = 1.0
) -> AsyncIterator[Way]:
    """Make room for entities, and open their store straight and through a proxy."""
    target = Target(store, url, pool_max=20)
    async with (
        room(target, namespace, entities),
        opened(target, namespace) as straight,
        before(url) as proxy,
    ):
        detour = Target(
            store, by_way_of(proxy, url), timeout=timeout, connect_timeout=timeout, pool_max=20
        )
        async with opened(detour, namespace) as broken:
            yield Way(straight, broken, proxy)
