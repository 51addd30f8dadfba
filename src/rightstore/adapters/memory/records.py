"""Ports `records` in memory: the reference meaning. It keeps nothing beyond the process.

Every call lets other tasks run once before its one step, as a store over a network would.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from rightstore.adapters.memory.shelf import Shelf
from rightstore.adapters.memory.table import Table
from rightstore.clock import Clock
from rightstore.errors import StateError, StoreError
from rightstore.model.condition import Condition, Expr
from rightstore.model.declaration import Declaration
from rightstore.model.group import Row, rows_of
from rightstore.ports.capability import CAPABILITIES, Capability
from rightstore.ports.records import (
    Batch,
    Change,
    Delete,
    Find,
    Put,
    Queries,
    Records,
    Stored,
    judge_batch,
)
from rightstore.ports.upgrade import Older


class MemoryRecords:
    """The records of one entity, by key and by what is in them."""

    def __init__(self, declaration: Declaration, table: Table, clock: Clock) -> None:
        self._declaration, self._table, self._clock = declaration, table, clock

    async def get(self, key: str) -> Stored | None:
        """Return the record; None when it is absent."""
        await self._clock.sleep(0)
        return self._table.read(key)

    async def get_many(self, keys: Sequence[str]) -> list[Stored | None]:
        """Return a record or None for each key, in the order asked."""
        await self._clock.sleep(0)
        return [self._table.read(key) for key in keys]

    async def put(self, write: Put) -> int:
        """Store the record; return its new version."""
        await self._clock.sleep(0)
        return self._table.write(write)

    async def put_many(self, writes: Sequence[Put]) -> list[int | StateError | StoreError]:
        """Put each; return what became of each."""
        judge_batch([(self._declaration, write) for write in writes])
        await self._clock.sleep(0)
        return [self._outcome(write) for write in writes]

    async def change(self, write: Change) -> Stored:
        """Apply the edits to what is there now; return the record as it is then."""
        await self._clock.sleep(0)
        self._table.write(write)
        return self._table.left(write.key)

    async def delete(self, write: Delete) -> int:
        """Leave a tombstone; return its version, or 0."""
        await self._clock.sleep(0)
        return self._table.write(write)

    async def find(self, what: Find) -> list[Stored]:
        """Return the records that meet the query, in order."""
        await self._clock.sleep(0)
        return self._table.find(what)

    async def count(self, where: Condition | None = None) -> int:
        """Return how many records meet the condition."""
        return len(await self.find(Find(where)))

    async def select(self, what: Find, columns: Sequence[Expr[Any]]) -> list[Row]:
        """Return the rows of what `find` would return."""
        return rows_of([found.data for found in await self.find(what)], columns)

    def _outcome(self, write: Put) -> int | StateError | StoreError:
        try:
            return self._table.write(write)
        except StateError as error:
            return error


class MemoryStore:
    """A store in this process; `clock` tells what has expired."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shelves: dict[str, Shelf] = {}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """It can do everything."""
        return CAPABILITIES

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity by key."""
        return MemoryRecords(declaration, self._table(declaration), self._clock)

    def queries(self, declaration: Declaration) -> Queries:
        """Return the records of an entity by what is in them."""
        return MemoryRecords(declaration, self._table(declaration), self._clock)

    async def write(self, batch: Batch) -> list[int]:
        """Do all of it or nothing."""
        judge_batch(batch)
        await self._clock.sleep(0)
        done = []
        with ExitStack() as undo:
            for declaration, write in batch:
                table = self._table(declaration)
                undo.callback(table.mark(write.key))
                done.append(table.write(write))
            undo.pop_all()
        return done

    async def older(self, declaration: Declaration, limit: int, after: str | None = None) -> Older:
        """Return records of an older schema, in the order of their keys."""
        await self._clock.sleep(0)
        found = self._table(declaration).older(after or "")
        return Older(found[:limit], found[limit - 1].key if len(found) > limit else None)

    def _table(self, declaration: Declaration) -> Table:
        return Table(declaration, self._shelves.setdefault(declaration.name, Shelf()), self._clock)
