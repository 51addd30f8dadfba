"""A store of records on DynamoDB for the suites, with room for the samples.

The tables are made once a run: no test disturbs another there.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from rightstore.adapters.dynamodb.client import DynamodbConnection
from rightstore.adapters.dynamodb.client import connect as dynamodb_at
from rightstore.adapters.dynamodb.schema import DynamodbSchema
from rightstore.adapters.dynamodb.store import DynamodbStore
from rightstore.clock import SYSTEM
from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability
from rightstore.ports.connection import Target
from rightstore.ports.records import RecordStore
from rightstore.testing.contract.sample import samples
from rightstore.testing.namespace import namespace as namespace_of

NAMESPACE = namespace_of("contract of records on dynamodb")
CAN: frozenset[Capability] = frozenset({"transaction"})
_made: set[str] = set()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[DynamodbConnection]:
    """Open a connection for the block."""
    connection = dynamodb_at(Target("dynamodb", url), SYSTEM)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


async def make_room(
    connection: DynamodbConnection, namespace: str, declarations: Sequence[Declaration]
) -> None:
    """Make the tables of these entities."""
    schema = DynamodbSchema(connection, namespace)
    for step in await schema.plan(declarations):
        await schema.apply(step)


@asynccontextmanager
async def dynamodb(urls: Mapping[str, str]) -> AsyncIterator[RecordStore]:
    """Open a store with room for the samples."""
    async with connected(urls["dynamodb"]) as connection:
        if NAMESPACE not in _made:
            await make_room(connection, NAMESPACE, samples(CAN))
            _made.add(NAMESPACE)
        yield DynamodbStore(connection, NAMESPACE, SYSTEM)
