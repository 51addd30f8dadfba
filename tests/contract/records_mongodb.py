"""Records in MongoDB for tests: a store with a database of its own, dropped afterwards."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from rightstore.adapters.mongodb.client import MongodbConnection, connect
from rightstore.adapters.mongodb.portability import CAPABILITIES
from rightstore.adapters.mongodb.schema import MongodbSchema
from rightstore.adapters.mongodb.store import MongodbStore
from rightstore.clock import SYSTEM
from rightstore.ids import new_id
from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability
from rightstore.ports.connection import Target
from rightstore.testing.contract.sample import samples
from rightstore.testing.namespace import namespace as namespace_of

# What the embedded server can do; of MongoDB itself more is tried in test_mongodb_unique.
CAN: frozenset[Capability] = CAPABILITIES - {"unique"}


@asynccontextmanager
async def connected(
    url: str, *, timeout: float = 10.0, connect_timeout: float = 5.0
) -> AsyncIterator[MongodbConnection]:
    """Open a connection for the block."""
    connection = connect(Target("mongodb", url, connect_timeout, timeout), SYSTEM)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def room(
    connection: MongodbConnection, entities: Sequence[Declaration]
) -> AsyncIterator[str]:
    """Make a database with room for these entities; drop it after the block."""
    name = namespace_of(new_id())
    schema = MongodbSchema(connection, name)
    for step in await schema.plan(entities):
        await schema.apply(step)
    try:
        yield name
    finally:
        await connection.client.drop_database(name)


@asynccontextmanager
async def mongodb(urls: Mapping[str, str]) -> AsyncIterator[MongodbStore]:
    """Open a store with room for the samples."""
    async with connected(urls["mongodb"]) as connection, room(connection, samples(CAN)) as name:
        yield MongodbStore(connection, name, SYSTEM, capabilities=CAN)
