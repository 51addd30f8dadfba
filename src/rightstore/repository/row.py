"""Access to the rows of a table by key: inside a transaction of SQL, or outside of any.

What a session can do beyond keys is done with it directly: `tx.sql`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rightstore.errors import UnsupportedError, UsageError, VersionConflictError
from rightstore.model.edit import Edit
from rightstore.model.entity import version_of
from rightstore.model.key import Key
from rightstore.ports.records import Expect
from rightstore.repository.buffer import Buffer
from rightstore.repository.write import Where, expected

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import DeclarativeBase

    from rightstore.ports.row import Rows

Row = TypeVar("Row", bound="DeclarativeBase")


def is_table(kind: object) -> bool:
    """Tell whether a class is mapped to a table by SQLAlchemy, without loading it."""
    return isinstance(kind, type) and hasattr(kind, "__mapper__")


class RowAccess(Generic[Row]):
    """The rows of one table: objects of the session, which notices what is changed on them."""

    def __init__(self, kind: type[Row], session: AsyncSession, buffer: Buffer) -> None:
        self._kind, self._session, self._buffer = kind, session, buffer

    @property
    def name(self) -> str:
        """The name of the class."""
        return self._kind.__name__

    async def get(self, key: Key) -> Row | None:
        """Return the row; what is changed on it is written at the end, or with the next flush."""
        self._buffer.check_open()
        found: Row | None = await self._session.get(self._kind, key)
        return found

    async def put(self, record: Row, expect: Expect | None) -> None:
        """Write the row now, within the transaction."""
        if not isinstance(record, self._kind):
            raise UsageError(f"{self.name}: put takes a {self.name}, not {type(record).__name__}.")
        self._buffer.check_open()
        self._check(record, expect)
        self._session.add(record)
        await self._session.flush()

    async def change(
        self, key: Key, edits: tuple[Edit, ...], when: Where | None, or_create: Row | None
    ) -> None:
        """Refuse: edits are expressions of entities, and SQLAlchemy has its own."""
        raise _no_edits(self.name)

    async def delete(self, key: Key, expect: Expect | None) -> bool:
        """Delete the row now, within the transaction."""
        row = await self.get(key)
        if row is None:
            return False
        self._check(row, expect)
        await self._session.delete(row)
        await self._session.flush()
        return True

    def _check(self, row: Any, expect: Expect | None) -> None:
        if expected(self.name, expect) is None:
            return
        if expect == "any" or not hasattr(self._kind, "version"):
            raise UnsupportedError(
                f"{self.name}: expect= takes the version of a table that is Versioned: declare it "
                "so, or write an update() with tx.sql."
            )
        if version_of(row) != expect:
            self._buffer.refuse()
            raise VersionConflictError(
                f"{self.name}: the row has another version than expected: read it again."
            )


class TableAccess(Generic[Row]):
    """The rows of a tracked table outside of any transaction; each write is one of its own."""

    def __init__(self, kind: type[Row], rows: Rows[Row]) -> None:
        self._kind, self._rows = kind, rows

    @property
    def name(self) -> str:
        """The name of the class."""
        return self._kind.__name__

    async def get(self, key: Key) -> Row | None:
        """Return the row as it was committed last."""
        return await self._rows.get(key)

    async def put(self, record: Row, expect: Expect | None) -> None:
        """Store the row."""
        if not isinstance(record, self._kind):
            raise UsageError(f"{self.name}: put takes a {self.name}, not {type(record).__name__}.")
        await self._rows.put(record, expect=expected(self.name, expect))

    async def change(
        self, key: Key, edits: tuple[Edit, ...], when: Where | None, or_create: Row | None
    ) -> None:
        """Refuse: edits are expressions of entities, and SQLAlchemy has its own."""
        raise _no_edits(self.name)

    async def delete(self, key: Key, expect: Expect | None) -> bool:
        """Remove the row."""
        wanted = expected(self.name, expect)
        return await self._rows.delete(key, expect="any" if wanted is None else wanted)


def _no_edits(name: str) -> UnsupportedError:
    return UnsupportedError(
        f"{name} is a table: set the attributes of its row, or write an update() with tx.sql."
    )
