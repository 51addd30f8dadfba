"""Ports `relational` and `row` around another adapter, measured. Sessions and rows pass unseen.

What SQLAlchemy sends in a transaction is measured as one operation, from the first use to the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from rightstore.clock import SYSTEM, Clock
from rightstore.model.declaration import Declaration
from rightstore.ports.records import Expect, Records
from rightstore.ports.relational import Relational, Unit
from rightstore.telemetry.operation import Block, measured
from rightstore.telemetry.records import MeasuredRecords

if TYPE_CHECKING:
    from rightstore.ports.row import Key, Rows


class MeasuredRelational:
    """Implements port `Relational`."""

    def __init__(self, relational: Relational, store: str, clock: Clock = SYSTEM) -> None:
        self._relational, self._store, self._clock = relational, store, clock

    @property
    def connections(self) -> int:
        """How many connections it has now."""
        return self._relational.connections

    def transaction(self, *, claim: str | None = None) -> AbstractAsyncContextManager[Unit]:
        """Begin with the first statement; a block that needs no store is not counted."""
        return self._transaction(claim)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        """Open a session to read with."""
        with Block(self._store, "sql", self._clock) as block:
            block.begin()
            async with self._relational.reading() as session:
                yield session

    def rows(self, tracked: Any) -> Any:
        """Return the rows of a tracked table by key, measured."""
        return MeasuredRows(self._relational.rows(tracked), self._store, self._clock)

    @asynccontextmanager
    async def _transaction(self, claim: str | None) -> AsyncIterator[Unit]:
        with Block(self._store, "transaction", self._clock) as block:
            async with self._relational.transaction(claim=claim) as unit:
                yield MeasuredUnit(unit, block, self._store, self._clock)


class MeasuredUnit:
    """Implements port `Unit`."""

    __slots__ = ("_block", "_clock", "_store", "_unit")

    def __init__(self, unit: Unit, block: Block, store: str, clock: Clock) -> None:
        self._unit, self._block, self._store, self._clock = unit, block, store, clock

    @property
    def session(self) -> Any:
        """The session of SQLAlchemy."""
        self._block.begin()
        return self._unit.session

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity, inside the transaction, measured."""
        self._block.begin()
        return MeasuredRecords(self._unit.records(declaration), self._store, self._clock)


class MeasuredRows:
    """Implements port `Rows`: each write with the wait for the commit that it shares."""

    __slots__ = ("_clock", "_rows", "_store")

    def __init__(self, rows: Rows[Any], store: str, clock: Clock = SYSTEM) -> None:
        self._rows, self._store, self._clock = rows, store, clock

    async def get(self, key: Key) -> Any:
        """Return the row; None when there is none."""
        with measured(self._store, "get_row", self._clock):
            return await self._rows.get(key)

    async def get_many(self, keys: Sequence[Key]) -> list[Any]:
        """Return a row or None for each key, in the order asked."""
        with measured(self._store, "get_rows", self._clock):
            return await self._rows.get_many(keys)

    async def put(self, row: Any, *, expect: Expect | None = None) -> Any:
        """Store the row; return it."""
        with measured(self._store, "put_row", self._clock):
            return await self._rows.put(row, expect=expect)

    async def delete(self, key: Key, *, expect: Expect = "any") -> bool:
        """Remove the row; return whether there was one."""
        with measured(self._store, "delete_row", self._clock):
            return await self._rows.delete(key, expect=expect)
