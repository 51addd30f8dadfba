"""What one transaction is bound to: the store and group of the first thing that it touches.

It buffers and commits nothing (`buffer` does).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from rightstore.errors import NotConfiguredError, UnsupportedError, UsageError
from rightstore.model.declaration import Declaration
from rightstore.ports.records import Records, RecordStore
from rightstore.ports.relational import Relational, Unit

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

# The group of all tables, and of the entities that are written together with them.
RELATIONAL = "relational"


class Places(Protocol):
    """Where things live in one open application. No method does I/O."""

    def store_of(self, declaration: Declaration) -> RecordStore:
        """Return the store that holds an entity now."""
        ...

    def name_of(self, declaration: Declaration) -> str:
        """Return the name of that store, for errors and for `Read.source`."""
        ...

    def relational(self) -> Relational | None:
        """Return the store of tables, where there is one; entities in memory have none."""
        ...

    def control(self) -> RecordStore:
        """Return the store that is always there: PostgreSQL's, or the one in memory."""
        ...


class Scope:
    """The bounds of one transaction; `is_marked` when it also writes a mark of `once`."""

    def __init__(self, places: Places, *, is_marked: bool = False) -> None:
        self._places, self._is_marked = places, is_marked
        self._group: str | None = None
        self._store: RecordStore | None = None
        self._unit: Unit | None = None
        self._is_open = False

    @property
    def group(self) -> str:
        """The group that it is bound to; that of the tables until it touches anything."""
        return self._group or RELATIONAL

    @property
    def unit(self) -> Unit | None:
        """The transaction of SQL that it is, if it is one."""
        return self._unit if self.group == RELATIONAL else None

    @property
    def store(self) -> RecordStore:
        """The store that its records are in."""
        return self._store or self._places.control()

    @asynccontextmanager
    async def open(self, claim: str | None = None) -> AsyncIterator[None]:
        """Hold a transaction of SQL ready, which begins with its first statement."""
        relational = self._places.relational()
        self._is_open = True
        try:
            if relational is None:
                yield
            else:
                async with relational.transaction(claim=claim) as self._unit:
                    yield
        finally:
            self._is_open = False

    def bind(self, declaration: Declaration) -> None:
        """Bind the transaction to the group of an entity, or find that it is bound to it."""
        if self._enter(declaration.group, declaration.name):
            self._store = self._places.store_of(declaration)
            if self._is_marked and "transaction" not in self._store.capabilities:
                raise UnsupportedError(
                    f"{declaration.name} lives in {self._places.name_of(declaration)}, which "
                    "cannot write a record and the mark of once= in one step: leave out once=, or "
                    "keep the entity in another store."
                )

    def session(self, name: str) -> AsyncSession:
        """Bind the transaction to the tables; return its session."""
        self._enter(RELATIONAL, name)
        if self._unit is None:
            raise NotConfiguredError(
                f"{name}: there is no PostgreSQL here, and tables live nowhere else: set "
                "POSTGRES_URL."
            )
        return self._unit.session

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity inside this transaction."""
        self.check_open()
        return (self.unit or self.store).records(declaration)

    def outside(self, declaration: Declaration) -> Records:
        """Return the records of an entity as others see them."""
        return self._places.store_of(declaration).records(declaration)

    def check_open(self) -> None:
        """Refuse what comes after the end of the transaction."""
        if not self._is_open:
            raise UsageError("This transaction has ended: use it within its function or block.")

    def _enter(self, group: str, name: str) -> bool:
        """Say whether this is the first touch; refuse another group."""
        self.check_open()
        if self._group is None:
            self._group = group
            return True
        if self._group != group:
            raise UsageError(
                f"A transaction stays in one group: this one began in {self._group}, and {name} is "
                f"in {group}: declare the same group= for what is written together, or write it in "
                "a transaction of its own."
            )
        return False
