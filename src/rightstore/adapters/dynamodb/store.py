"""Port `records` on DynamoDB: its entities, and writes to several of their records."""

from rightstore.adapters.dynamodb.batch import Batches
from rightstore.adapters.dynamodb.client import DynamodbConnection
from rightstore.adapters.dynamodb.item import Items
from rightstore.adapters.dynamodb.portability import CAPABILITIES, obstacles
from rightstore.adapters.dynamodb.query import DynamodbQueries
from rightstore.adapters.dynamodb.records import DynamodbRecords
from rightstore.adapters.dynamodb.wire import Wire
from rightstore.clock import Clock
from rightstore.errors import UnsupportedError
from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability
from rightstore.ports.records import (
    Batch,
    Change,
    Delete,
    Put,
    Queries,
    Records,
    Seen,
    judge_batch,
    judge_version,
)


class DynamodbStore:
    """The tables of one namespace; `clock` tells what has expired."""

    def __init__(self, connection: DynamodbConnection, namespace: str, clock: Clock) -> None:
        self._wire = Wire(connection, clock)
        self._clock, self._namespace = clock, namespace
        self._batches = Batches(self._wire, clock)
        self._known: dict[type, Items] = {}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do beyond keys and declared indexes."""
        return CAPABILITIES

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity by key; no I/O."""
        return self._by_key(declaration)

    def queries(self, declaration: Declaration) -> Queries:
        """Return the records of an entity by what is in them; no I/O."""
        return DynamodbQueries(self._items(declaration), self._wire, self._clock)

    async def write(self, batch: Batch) -> list[int]:
        """Do all of it or nothing, in one step; return the version of each."""
        judge_batch(batch)
        if len(batch) == 1:
            return [await self._alone(*batch[0])]
        parts = [(self._items(declaration), write) for declaration, write in batch]
        return await self._batches.write(parts) if parts else []

    async def _alone(self, declaration: Declaration, write: Put | Change | Delete | Seen) -> int:
        records = self._by_key(declaration)
        match write:
            case Put():
                return await records.put(write)
            case Change():
                return (await records.change(write)).version
            case Delete():
                return await records.delete(write)
            case Seen():
                found = await records.get(write.key)
                judge_version(declaration, write, found.version if found else 0)
                return write.version

    def _by_key(self, declaration: Declaration) -> DynamodbRecords:
        return DynamodbRecords(self._items(declaration), self._wire, self._clock)

    def _items(self, declaration: Declaration) -> Items:
        """Return how an entity's records are kept; UnsupportedError when they cannot be."""
        known = self._known.get(declaration.entity)
        if known is None:
            for obstacle in obstacles(declaration):
                raise UnsupportedError(
                    f"dynamodb cannot hold {declaration.name}: {obstacle.subject}: "
                    f"{obstacle.reason}: {obstacle.remedy}."
                )
            known = self._known[declaration.entity] = Items(declaration, self._namespace)
        return known
