"""Transaction: several records, or tables and records beside them, written together or not at all.

It is bound to the group of what it touches first, and does not run anything again: `run` does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, final, overload

from rightstore.errors import UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.repository.buffer import Buffer
from rightstore.repository.entity import EntityAccess
from rightstore.repository.records import Records
from rightstore.repository.row import RowAccess, is_table
from rightstore.repository.scope import Places, Scope

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import DeclarativeBase

    Row = TypeVar("Row", bound=DeclarativeBase)

Ent = TypeVar("Ent", bound=Entity)


@final
class Transaction:
    """What a function of `run`, or a block, reads and writes as one.

    Of entities every read is checked at the end, so that transactions happen as if one after the
    other. In SQL it is REPEATABLE READ.
    """

    def __init__(self, places: Places, scope: Scope, buffer: Buffer) -> None:
        self._places, self._scope, self._buffer = places, scope, buffer

    @overload
    def of(self, kind: type[Ent]) -> Records[Ent]: ...
    @overload
    def of(self, kind: type[Row]) -> Records[Row]: ...
    def of(self, kind: type[Any]) -> Records[Any]:
        """Return the records of an entity, or the rows of a table, within this transaction."""
        given: Any = kind
        if is_table(given):
            session = self._scope.session(kind.__name__)
            return Records(RowAccess(kind, session, self._buffer))
        if not (isinstance(given, type) and issubclass(given, Entity)):
            raise UsageError("A transaction is of entities and tables: pass the class of one.")
        declaration = declaration_of(kind)
        self._scope.bind(declaration)
        at = self._places.name_of(declaration)
        return Records(EntityAccess(given, self._buffer, at=at))

    @property
    def sql(self) -> AsyncSession:
        """The session of SQLAlchemy: it binds the transaction to the tables."""
        return self._scope.session("tx.sql")


@asynccontextmanager
async def transaction(places: Places) -> AsyncIterator[Transaction]:
    """Open a transaction for one block; it commits at its end, and on an error nothing is written.

    VersionConflictError when something has moved on meanwhile: `run` would run it again.
    """
    scope = Scope(places)
    buffer = Buffer(scope)
    async with scope.open():
        yield Transaction(places, scope, buffer)
        await buffer.commit()
    buffer.stamp()
