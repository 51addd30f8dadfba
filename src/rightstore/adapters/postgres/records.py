"""Ports `Records` and `Queries` on PostgreSQL: one statement for each call.

What the statements are is said elsewhere (`write`, `batch`, `query`), as is who runs them.
"""

from collections.abc import Sequence
from typing import Any

from rightstore.adapters.postgres.body import decoder_of
from rightstore.adapters.postgres.executor import (
    Executor,
    LostReplyError,
)
from rightstore.adapters.postgres.joint import write_jointly
from rightstore.adapters.postgres.query import count, find, select
from rightstore.adapters.postgres.resolution import resolved
from rightstore.adapters.postgres.table import Table
from rightstore.adapters.postgres.write import Statements
from rightstore.errors import ConstraintError, StateError, StoreError
from rightstore.model.condition import Condition, Expr
from rightstore.model.declaration import Declaration
from rightstore.model.group import Row
from rightstore.ports.records import (
    Change,
    Delete,
    Find,
    Put,
    Stored,
    judge_batch,
    judge_version,
    judge_write,
)


class PostgresRecords:
    """The records of one entity, by key and by what is in them."""

    def __init__(self, table: Table, executor: Executor) -> None:
        self.table = table
        self._executor = executor
        self._declaration, self._name = table.declaration, table.declaration.name
        self._statements = Statements(table)
        self._decode = decoder_of(table.declaration)

    async def get(self, key: str) -> Stored | None:
        """Return the record; None when it is absent."""
        rows = await self._executor.read(self._name, self._statements.get(key))
        if not rows:
            return None
        return self._stored(rows[0])

    async def get_many(self, keys: Sequence[str]) -> list[Stored | None]:
        """Return a record or None for each key, in the order asked."""
        if not keys:
            return []
        rows = await self._executor.read(self._name, self._statements.get_many(keys))
        found = {row[0]: row for row in rows}
        # Decoded once for each time it is asked for, so that no two answers share anything.
        return [self._stored(found[key]) if key in found else None for key in keys]

    async def put(self, write: Put) -> int:
        """Store the record; return its new version."""
        judge_write(self._declaration, write)
        try:
            rows = await self._executor.write(self._name, self._statements.put(write))
        except LostReplyError as lost:
            return await self._version(write, lost)
        if not rows:
            raise _refused(self._declaration, write)
        return int(rows[0]["version"])

    async def put_many(self, writes: Sequence[Put]) -> list[int | StateError | StoreError]:
        """Put each; return what became of each."""
        judge_batch([(self._declaration, write) for write in writes])
        return await self._put_many(writes) if writes else []

    async def change(self, write: Change) -> Stored:
        """Apply the edits to what is there now; return the record as it is then."""
        judge_write(self._declaration, write)
        [row] = await write_jointly(self._executor, [(self.table, write)])
        data = self._decode(row["body"], row["schema"])
        return Stored(write.key, row["version"], data, row["schema"], write.write_id)

    async def delete(self, write: Delete) -> int:
        """Leave a tombstone; return its version, or 0."""
        judge_write(self._declaration, write)
        try:
            rows = await self._executor.write(self._name, self._statements.delete(write))
        except LostReplyError as lost:
            return await self._version(write, lost)
        if rows:
            return int(rows[0]["version"])
        if write.expect != "any":
            raise _refused(self._declaration, write)
        return 0

    async def find(self, what: Find) -> list[Stored]:
        """Return the records that meet the query, in order."""
        rows = await self._executor.read(self._name, find(self.table, what))
        return [self._stored(row) for row in rows]

    async def count(self, where: Condition | None = None) -> int:
        """Return how many records meet the condition."""
        [row] = await self._executor.read(self._name, count(self.table, where))
        return int(row[0])

    async def select(self, what: Find, columns: Sequence[Expr[Any]]) -> list[Row]:
        """Return the rows of what `find` would return."""
        selection = select(self.table, what, columns)
        rows = await self._executor.read(self._name, selection.statement)
        made = (selection.row(row) for row in rows)
        return [row for row in made if row is not None]

    async def _put_many(self, writes: Sequence[Put]) -> list[int | StateError | StoreError]:
        try:
            rows = await self._executor.write(self._name, self._statements.put_many(writes))
        except LostReplyError as lost:
            return await self._versions(writes, lost)
        except ConstraintError as error:
            if not self._executor.can_repeat:
                raise
            return await self._halves(writes, error)
        except StateError as error:
            return [error] * len(writes)
        except StoreError as error:
            return [error] * len(writes)
        made = {row["key"]: row["version"] for row in rows}
        return [
            made[write.key] if write.key in made else _refused(self._declaration, write)
            for write in writes
        ]

    async def _halves(
        self, writes: Sequence[Put], error: ConstraintError
    ) -> list[int | StateError | StoreError]:
        """Find the writes that no statement may hold; nothing was done so far."""
        if len(writes) == 1:
            return [error]
        middle = len(writes) // 2
        return await self._put_many(writes[:middle]) + await self._put_many(writes[middle:])

    async def _version(self, write: Put | Delete, lost: LostReplyError) -> int:
        [found] = await resolved(self._executor, self.table, [write], lost)
        if isinstance(found, StoreError):
            raise found
        return found

    async def _versions(
        self, writes: Sequence[Put], lost: LostReplyError
    ) -> list[int | StateError | StoreError]:
        return [*await resolved(self._executor, self.table, writes, lost)]

    def _stored(self, row: Any) -> Stored:
        key, version, body, schema, write_id, _ = row
        return Stored(key, version, self._decode(body, schema), schema, write_id)


def _refused(declaration: Declaration, write: Put | Delete) -> StateError:
    """Return what it means that the statement of a write found nothing to do."""
    # It expected none and there is one, or a version that it is not.
    there = 1 if write.expect == 0 else 0
    try:
        judge_version(declaration, write, there)
    except StateError as error:
        return error
    raise AssertionError(f"{declaration.name}: a write that expects nothing was refused")
