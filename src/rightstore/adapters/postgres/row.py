"""Port `row` on PostgreSQL: rows of tracked tables by key, with group commit."""
# ruff: noqa: S608 - quoted names of a model and parameters only

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import Any, Generic

from rightstore.adapters.postgres.column import Columns
from rightstore.adapters.postgres.ddl import quoted
from rightstore.adapters.postgres.gather import Gathering
from rightstore.adapters.postgres.lane import AT, XID, Reader, Writer
from rightstore.adapters.postgres.session import Dial
from rightstore.clock import Clock
from rightstore.errors import AlreadyExistsError, UsageError, VersionConflictError
from rightstore.ports.records import Expect
from rightstore.table.track import Row, TrackedTable
from rightstore.table.versioned import COLUMN

WRITERS = 2


class PostgresRowStore:
    """The tracked tables of one application. It is created without I/O and connects at first use.

    Three connections of its own: two commit, one reads.
    """

    def __init__(self, dial: Dial, clock: Clock) -> None:
        self._dial = dial
        self._writers = [Writer(self._dial, clock) for _ in range(WRITERS)]
        self._reader = Reader(self._dial)
        self._writing = Gathering([writer.run for writer in self._writers])
        self._reading = Gathering([self._reader.run])

    @property
    def connections(self) -> int:
        """How many connections it has now."""
        return sum(not held.is_fresh for held in (*self._writers, self._reader))

    def rows(self, tracked: TrackedTable[Row]) -> "PostgresRows[Row]":
        """Return the rows of a table; no I/O."""
        return PostgresRows(
            tracked, self._dial.namespace, reading=self._reading, writing=self._writing
        )

    async def close(self) -> None:
        """Let what is in flight end, and close the connections."""
        await asyncio.gather(self._reading.close(), self._writing.close())
        await asyncio.gather(*(held.close() for held in (*self._writers, self._reader)))


class PostgresRows(Generic[Row]):
    """The rows of one table."""

    def __init__(
        self,
        tracked: TrackedTable[Row],
        namespace: str,
        *,
        reading: Gathering,
        writing: Gathering,
    ) -> None:
        self._tracked = tracked
        self._columns = Columns(tracked)
        self._texts = Texts(f"{quoted(namespace)}.{quoted(tracked.table.name)}", self._columns)
        self._reading, self._writing = reading, writing

    async def get(self, key: object) -> Row | None:
        """Return the row as it was committed last; None when there is none."""
        return (await self.get_many([key]))[0]

    async def get_many(self, keys: Sequence[object]) -> list[Row | None]:
        """Return a row or None for each key, in the order asked."""
        asked = [
            self._reading.asked(self._texts.get, values)
            for values in [self._columns.key_values(key) for key in keys]
        ]
        found = await asyncio.gather(*asked)
        return [None if record is None else self._columns.make(record) for record in found]

    async def put(self, row: Row, *, expect: Expect | None = None) -> Row:
        """Store the row, in the version it carries if nothing else is expected; return it."""
        version = getattr(row, COLUMN) or 0 if expect is None else expect
        if self._tracked.append_only and version != 0:
            raise self._only_new()
        given = self._columns.given(row, is_new=version in (0, "any"))
        names = tuple(given)
        values = tuple(given.values())
        if version in (0, "any"):
            text = self._texts.insert(names, over=version == "any")
        else:
            self._columns.key_values(tuple(given.get(name) for name in self._columns.key))
            text, values = self._texts.update(names), (*values, version)
        record = await self._writing.ask(text, values)
        if record is not None:
            return self._columns.fill(row, record)
        raise self._exists() if version == 0 else self._moved_on()

    async def delete(self, key: object, *, expect: Expect = "any") -> bool:
        """Remove the row; return whether there was one."""
        if self._tracked.append_only:
            raise self._only_new()
        values = self._columns.key_values(key)
        if expect != "any":
            values = (*values, expect)
        record = await self._writing.ask(self._texts.delete(is_any=expect == "any"), values)
        if record is None and expect != "any":
            raise self._moved_on()
        return record is not None

    def _exists(self) -> AlreadyExistsError:
        return AlreadyExistsError(
            f"{self._tracked.name}: a row with this key exists: read and change it, or take "
            "another key."
        )

    def _moved_on(self) -> VersionConflictError:
        return VersionConflictError(
            f"{self._tracked.name}: the row has moved on since it was read: read it again."
        )

    def _only_new(self) -> UsageError:
        return UsageError(f"{self._tracked.name} is append_only: put a new row instead.")


class Texts:
    """The statements about one row. Each takes its ask's number as the last parameter."""

    def __init__(self, table: str, columns: Columns[Any]) -> None:
        self._table, self._key, self._names = table, columns.key, columns.names
        self.get = f"SELECT {self._all(len(self._key))} FROM {table} AS at WHERE {self._is(0)}"
        self.insert = cache(self._insert)
        self.update = cache(self._update)
        self.delete = cache(self._delete)

    def _insert(self, names: tuple[str, ...], *, over: bool) -> str:
        """Insert; a row in the way stays, or becomes this one."""
        columns = ", ".join(map(quoted, names))
        values = ", ".join(f"${at}" for at in range(1, len(names) + 1))
        what = f"({columns}) VALUES ({values})" if names else "DEFAULT VALUES"
        conflict = f"({', '.join(map(quoted, self._key))})"
        changed = [name for name in names if name not in self._key] or list(self._key)
        sets = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in changed)
        action = f"UPDATE SET {sets}" if over else "NOTHING"
        return (
            f"INSERT INTO {self._table} AS at {what} ON CONFLICT {conflict} DO {action} "
            f"RETURNING {self._all(len(names))}{_XID}"
        )

    def _update(self, names: tuple[str, ...]) -> str:
        """Update, if it has the version that comes after these values."""
        at = {name: number for number, name in enumerate(names, 1)}
        changed = [name for name in names if name not in self._key] or list(self._key)
        sets = ", ".join(f"{quoted(name)} = ${at[name]}" for name in changed)
        where = " AND ".join(f"at.{quoted(name)} = ${at[name]}" for name in self._key)
        version = f"at.{quoted(COLUMN)} = ${len(names) + 1}"
        return (
            f"UPDATE {self._table} AS at SET {sets} WHERE {where} AND {version} "
            f"RETURNING {self._all(len(names) + 1)}{_XID}"
        )

    def _delete(self, *, is_any: bool) -> str:
        count = len(self._key) + (0 if is_any else 1)
        version = "" if is_any else f" AND at.{quoted(COLUMN)} = ${count}"
        return (
            f"DELETE FROM {self._table} AS at WHERE {self._is(0)}{version} "
            f"RETURNING ${count + 1}::int AS {AT}{_XID}"
        )

    def _is(self, before: int) -> str:
        """Return the condition that a row has the key in the parameters that come then."""
        return " AND ".join(
            f"at.{quoted(name)} = ${number}" for number, name in enumerate(self._key, before + 1)
        )

    def _all(self, before: int) -> str:
        """Return the number of the ask, which comes after that many parameters, and all columns."""
        columns = ", ".join(f"at.{quoted(name)}" for name in self._names)
        return f"${before + 1}::int AS {AT}, {columns}"


_XID = f", pg_current_xact_id()::text AS {XID}"
