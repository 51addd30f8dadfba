"""Records in PostgreSQL for tests: a store with a schema of its own, dropped afterwards."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from rightstore.adapters.postgres.client import PostgresConnection, connect
from rightstore.adapters.postgres.portability import CAPABILITIES
from rightstore.adapters.postgres.schema import PostgresSchema
from rightstore.adapters.postgres.store import PostgresStore
from rightstore.clock import SYSTEM
from rightstore.ids import new_id
from rightstore.model.declaration import Declaration
from rightstore.ports.connection import Target
from rightstore.testing.contract.sample import samples
from rightstore.testing.namespace import namespace as namespace_of


@asynccontextmanager
async def connected(url: str, *, timeout: float = 10.0) -> AsyncIterator[PostgresConnection]:
    """Open a connection for the block."""
    connection = connect(Target("postgres", url, timeout=timeout), SYSTEM)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def room(
    connection: PostgresConnection, entities: Sequence[Declaration]
) -> AsyncIterator[str]:
    """Make a schema with room for these entities; drop it after the block."""
    name = namespace_of(new_id())
    schema = PostgresSchema(connection, name)
    for step in await schema.plan(entities):
        await schema.apply(step)
    try:
        yield name
    finally:
        async with connection.session() as session:
            await session.execute(f"DROP SCHEMA {name} CASCADE")


@asynccontextmanager
async def postgres(urls: Mapping[str, str]) -> AsyncIterator[PostgresStore]:
    """Open a store with room for the samples."""
    async with (
        connected(urls["postgres"]) as connection,
        room(connection, samples(CAPABILITIES)) as name,
    ):
        yield PostgresStore(connection, name, SYSTEM)
