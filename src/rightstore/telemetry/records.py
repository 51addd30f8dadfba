"""Ports `records` around another adapter, each operation measured. It neither caches nor retries.

It counts no bytes: here nothing is encoded, and to encode for a number would be dear.
"""

from collections.abc import Sequence
from typing import Any

from rightstore.clock import SYSTEM, Clock
from rightstore.errors import StateError, StoreError
from rightstore.model.condition import Condition, Expr
from rightstore.model.declaration import Declaration
from rightstore.model.group import Row
from rightstore.ports.capability import Capability
from rightstore.ports.records import (
    Batch,
    Change,
    Delete,
    Find,
    Put,
    Queries,
    Records,
    RecordStore,
    Stored,
)
from rightstore.telemetry.operation import measured


class MeasuredRecords:
    """Implements port `Records`."""

    __slots__ = ("_clock", "_records", "_store")

    def __init__(self, records: Records, store: str, clock: Clock = SYSTEM) -> None:
        self._records, self._store, self._clock = records, store, clock

    async def get(self, key: str) -> Stored | None:
        """Return the record; None when it is absent."""
        with measured(self._store, "get", self._clock):
            return await self._records.get(key)

    async def get_many(self, keys: Sequence[str]) -> list[Stored | None]:
        """Return a record or None for each key, in the order asked."""
        with measured(self._store, "get_many", self._clock):
            return await self._records.get_many(keys)

    async def put(self, write: Put) -> int:
        """Store the record; return its new version."""
        with measured(self._store, "put", self._clock):
            return await self._records.put(write)

    async def put_many(self, writes: Sequence[Put]) -> list[int | StateError | StoreError]:
        """Put each; return what became of each."""
        with measured(self._store, "put_many", self._clock):
            return await self._records.put_many(writes)

    async def change(self, write: Change) -> Stored:
        """Apply the edits to what is there now; return the record as it is then."""
        with measured(self._store, "change", self._clock):
            return await self._records.change(write)

    async def delete(self, write: Delete) -> int:
        """Leave a tombstone; return its version, or 0."""
        with measured(self._store, "delete", self._clock):
            return await self._records.delete(write)


class MeasuredQueries:
    """Implements port `Queries`."""

    __slots__ = ("_clock", "_queries", "_store")

    def __init__(self, queries: Queries, store: str, clock: Clock = SYSTEM) -> None:
        self._queries, self._store, self._clock = queries, store, clock

    async def find(self, what: Find) -> list[Stored]:
        """Return the records that meet the query, in order."""
        with measured(self._store, "find", self._clock):
            return await self._queries.find(what)

    async def count(self, where: Condition | None = None) -> int:
        """Return how many records meet the condition."""
        with measured(self._store, "count", self._clock):
            return await self._queries.count(where)

    async def select(self, what: Find, columns: Sequence[Expr[Any]]) -> list[Row]:
        """Return the rows of what `find` would return."""
        with measured(self._store, "select", self._clock):
            return await self._queries.select(what, columns)


class MeasuredStore:
    """Implements port `RecordStore`; `name` is that of the store."""

    def __init__(self, store: RecordStore, name: str, clock: Clock = SYSTEM) -> None:
        self._store, self._name, self._clock = store, name, clock

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the store can do."""
        return self._store.capabilities

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity by key, measured."""
        return MeasuredRecords(self._store.records(declaration), self._name, self._clock)

    def queries(self, declaration: Declaration) -> Queries:
        """Return the records of an entity by what is in them, measured."""
        return MeasuredQueries(self._store.queries(declaration), self._name, self._clock)

    async def write(self, batch: Batch) -> list[int]:
        """Do all of it or nothing."""
        with measured(self._name, "write", self._clock):
            return await self._store.write(batch)
