"""Writes that belong together, done in one statement, or found out about when it did none of them.

Why nothing was written is told by `model.evaluate` from what was there. An edit that SQL does not
make is made here, and written over the version that it was made from.
"""

from collections.abc import Sequence
from typing import Any

from rightstore.adapters.postgres.answer import KeyTakenError
from rightstore.adapters.postgres.batch import Item, batch
from rightstore.adapters.postgres.body import decoder_of
from rightstore.adapters.postgres.executor import Executor, LostReplyError, Rows
from rightstore.adapters.postgres.resolution import look, outcome, told
from rightstore.adapters.postgres.table import Table
from rightstore.errors import ConditionError, StoreError, VersionConflictError
from rightstore.model.declaration import Declaration
from rightstore.model.evaluate import apply, satisfies
from rightstore.model.upgrade import upgraded
from rightstore.ports.records import Change, Data, Put, Seen, Write, judge_version


async def write_jointly(executor: Executor, asked: Sequence[Item]) -> Rows:
    """Do all writes or none; return a row for each, in their order, with its new version."""
    name = asked[0][0].declaration.name
    items = list(asked)
    while True:
        try:
            rows = await executor.write(name, batch(items))
        except KeyTakenError as error:
            if not executor.can_repeat:
                raise VersionConflictError(
                    f"{name}: another writer created the record just now and nothing was changed: "
                    "do it again."
                ) from error
            continue
        except LostReplyError as lost:
            return await _found(executor, asked, lost)
        rows = sorted(rows, key=lambda row: int(row["place"]))
        if all(row["fits"] for row in rows):
            return rows
        items = [
            item if row["fits"] else _again(*wanted, row)
            for item, wanted, row in zip(items, asked, rows, strict=True)
        ]


def _again(table: Table, write: Write, row: Any) -> Item:
    """Return a write that did not fit as one that may; raise what it means if it never will."""
    declaration = table.declaration
    judge_version(declaration, write, row["old_version"] or 0)
    if not isinstance(write, Change) or not row["there"]:
        raise VersionConflictError(
            f"{declaration.name}: the record has moved on since it was read: read it again."
        )
    data = decoder_of(declaration)(row["old_body"], row["old_schema"])
    edited = _edited(declaration, write, data, row["old_schema"])
    return table, Put(write.key, edited, row["old_version"], write.write_id)


def _edited(declaration: Declaration, write: Change, data: Data, schema: int) -> Data:
    if schema < declaration.schema:
        data = upgraded(declaration, data, schema)
    if write.when is not None and not satisfies(data, write.when):
        raise ConditionError(
            f"{declaration.name}: nothing was changed: {write.when} does not hold."
        )
    apply(data, write.edits)
    return data


async def _found(executor: Executor, asked: Sequence[Item], lost: LostReplyError) -> Rows:
    """Return the rows that the lost statement has made; raise its error, with its outcome."""
    tables = {table.name: table for table, _ in asked}
    there: dict[tuple[str, str], Any] = {}
    for name, table in tables.items():
        keys = [write.key for at, write in asked if at.name == name]
        rows = await look(executor, table, keys, lost)
        there |= {(name, row["key"]): row for row in rows}
    seen = [
        (write, told(table.declaration, write, there.get((table.name, write.key)), lost))
        for table, write in asked
    ]
    # All of it or nothing: one that is known tells of all.
    known = next((it for _, it in seen if it is not None), None)
    if known and all(it or isinstance(write, Seen) for write, it in seen):
        return [there.get((table.name, write.key)) or {"version": 0} for table, write in asked]
    raise _failed(lost.error, known=None if known else known)


def _failed(error: StoreError, *, known: bool | None) -> StoreError:
    error.outcome = outcome(known=known)
    return error
