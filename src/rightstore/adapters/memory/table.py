"""Writes and look-ups of one entity in memory, each in one step that nothing can interrupt.

What goes in and out is copied; nothing here waits.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rightstore.adapters.memory.shelf import Kept, Shelf, claims
from rightstore.clock import Clock
from rightstore.errors import ConditionError
from rightstore.model.condition import Condition
from rightstore.model.declaration import Declaration
from rightstore.model.evaluate import apply, is_after, satisfies, sort_key
from rightstore.model.query import alive
from rightstore.model.record import copied
from rightstore.model.upgrade import upgraded
from rightstore.ports.records import (
    Change,
    Delete,
    Find,
    Put,
    Seen,
    Stored,
    Write,
    judge_version,
    judge_write,
)


class Table:
    """The rows of a shelf as one declaration sees them."""

    def __init__(self, declaration: Declaration, shelf: Shelf, clock: Clock) -> None:
        self._declaration, self._shelf, self._clock = declaration, shelf, clock

    def read(self, key: str) -> Stored | None:
        """Return a record; None when it is absent."""
        row = self._live(key)
        return _stored(key, row) if row else None

    def left(self, key: str) -> Stored:
        """Return what the last write left, even when it has expired with that very write."""
        return _stored(key, self._shelf.rows[key])

    def find(self, what: Find) -> list[Stored]:
        """Return the records that meet a query, in order."""
        unexpired = self._unexpired()
        found = [
            (key, row)
            for key, row in self._shelf.rows.items()
            if _meets(row, unexpired) and _meets(row, what.where) and _follows(row, what)
        ]
        found.sort(key=lambda pair: sort_key(pair[1].data or {}, what.orders))
        return [_stored(key, row) for key, row in found[: what.limit]]

    def older(self, after: str) -> list[Stored]:
        """Return the records of an older schema whose key comes after this one, by key."""
        unexpired, schema = self._unexpired(), self._declaration.schema
        return [
            _stored(key, row)
            for key, row in sorted(self._shelf.rows.items())
            if key > after and row.schema < schema and _meets(row, unexpired)
        ]

    def write(self, write: Write) -> int:
        """Do one write; return the version that the record has then, or had last."""
        judge_write(self._declaration, write)
        # Once for the whole step: a second look at the clock could find it expired.
        row = self._live(write.key)
        judge_version(self._declaration, write, row.version if row else 0)
        return _WRITES[type(write)](self, write, row)

    def mark(self, key: str) -> Callable[[], None]:
        """Return what puts the row of a key back to what it is now."""
        row = self._shelf.rows.get(key)
        return lambda: self._shelf.place(self._declaration, key, row)

    def put(self, write: Put, _: Kept | None) -> int:
        """Store the whole record."""
        return self._keep(write, copied(write.data))

    def change(self, write: Change, row: Kept | None) -> int:
        """Edit what is there, or store what it shall be else."""
        if row is None:
            return self._keep(write, copied(write.or_create))
        data = copied(row.data)
        schema = max(row.schema, self._declaration.schema)
        if row.schema < schema:
            data = upgraded(self._declaration, data, row.schema)
        if write.when is not None and not satisfies(data, write.when):
            raise ConditionError(
                f"{self._declaration.name}: nothing was changed: {write.when} does not hold."
            )
        apply(data, write.edits)
        # What an edit carried in still belongs to the caller.
        return self._keep(write, copied(data), schema)

    def delete(self, write: Delete, row: Kept | None) -> int:
        """Leave a tombstone where there is a record."""
        return self._keep(write, None) if row else 0

    def see(self, write: Seen, _: Kept | None) -> int:
        """Write nothing: the version was judged."""
        return write.version

    def _keep(
        self, write: Put | Change | Delete, data: dict[str, Any] | None, schema: int = 0
    ) -> int:
        old = self._shelf.rows.get(write.key)
        row = Kept(
            version=old.version + 1 if old else 1,
            data=data,
            schema=schema or self._declaration.schema,
            write_id=write.write_id,
            claims=frozenset(claims(self._declaration, data) if data is not None else ()),
        )
        self._shelf.place(self._declaration, write.key, row)
        return row.version

    def _live(self, key: str) -> Kept | None:
        row = self._shelf.rows.get(key)
        return row if row and _meets(row, self._unexpired()) else None

    def _unexpired(self) -> Condition | None:
        return alive(self._declaration, self._clock.now())


def _meets(row: Kept, where: Condition | None) -> bool:
    """Tell whether a row meets a condition; a tombstone meets none."""
    return row.data is not None and (where is None or satisfies(row.data, where))


def _follows(row: Kept, what: Find) -> bool:
    return what.after is None or is_after(row.data or {}, what.orders, what.after)


def _stored(key: str, row: Kept) -> Stored:
    return Stored(key, row.version, copied(row.data), row.schema, row.write_id)


_WRITES: Mapping[type[Write], Callable[[Table, Any, Kept | None], int]] = {
    Put: Table.put,
    Change: Table.change,
    Delete: Table.delete,
    Seen: Table.see,
}
