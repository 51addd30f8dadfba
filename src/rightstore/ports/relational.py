"""Port `relational`: transactions over tables, and over the records that live beside them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from rightstore.model.declaration import Declaration
from rightstore.ports.records import Records

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from rightstore.ports.row import Rows
    from rightstore.table.track import Row, TrackedTable


class Unit(Protocol):
    """One open transaction at REPEATABLE READ: everything in it happens, or nothing."""

    @property
    def session(self) -> AsyncSession:
        """The session of SQLAlchemy; it is flushed before records are touched and at the end."""
        ...

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity of this store, inside the transaction."""
        ...


class Relational(Protocol):
    """The relational store. Statements end after the statement timeout, transactions do not hang.

    A statement or a COMMIT that the server refuses because of another transaction (SQLSTATE 40001,
    40P01) is a VersionConflictError: nothing was changed, the same again may succeed. A broken
    constraint is a ConstraintError, StaleDataError of the ORM a VersionConflictError. A COMMIT
    whose answer is lost is resolved (`pg_xact_status`) before it becomes "unknown". No error and
    no cancellation returns a connection in the middle of a transaction to the pool.
    """

    @property
    def connections(self) -> int:
        """How many connections it has now, for transactions and for rows."""
        ...

    def transaction(self, *, claim: str | None = None) -> AbstractAsyncContextManager[Unit]:
        """Begin with the first statement; commit at the end of the block, roll back on an error.

        Entering the block, and leaving it without a statement, is no I/O. With `claim` the first
        statement also takes that name for this transaction until its end: InProgressError, at once,
        when another open transaction has it. Nobody waits for a claim.
        """
        ...

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a session to read with: one snapshot, and every write in it is refused."""
        ...

    def rows(self, tracked: TrackedTable[Row]) -> Rows[Row]:
        """Return the rows of a tracked table by key, outside of transactions; no I/O."""
        ...
