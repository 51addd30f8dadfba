"""What became of a write whose reply was lost, told from the row as it is now.

It is asked once nothing of the write can happen any more. Its version tells, or its write id, or
how far the server's log was: a row last written before the write was sent was not written by it.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any

from rightstore.adapters.postgres.executor import Executor, LostReplyError, Rows
from rightstore.adapters.postgres.table import Table
from rightstore.adapters.postgres.write import Statements
from rightstore.errors import Outcome, StoreError
from rightstore.model.declaration import Declaration
from rightstore.mutant import mutant
from rightstore.ports.records import Change, Delete, Put, Seen, Write


def applied(declaration: Declaration, write: Write, row: Any | None, wal: int) -> bool | None:
    """Tell whether a write was applied; None when that cannot be known.

    `wal` is the farthest point of the server's log that was known when the write was sent.
    """
    if mutant("lost_reply_is_failure"):
        return False
    if isinstance(write, Seen):
        return None
    if row is None:
        # What expires may have been written and removed.
        return None if declaration.retain else False
    if row["write_id"] == write.write_id:
        return True
    if row["wal"] <= wal:
        return False
    # Others have written since then at the least as often as the version tells, unless what was
    # written has expired and was removed: then versions begin anew.
    is_counted = not declaration.retain and row["version"] <= _expected(write) + 1
    return False if is_counted else None


def told(
    declaration: Declaration, write: Write, row: Any | None, lost: LostReplyError
) -> bool | None:
    """Tell the same of a lost write; behind a pooler it may still come, so never that it will not.

    There the process that holds it is unknown.
    """
    known = applied(declaration, write, row, lost.wal)
    return known if known or lost.backend.is_direct else None


def _expected(write: Put | Change | Delete) -> int:
    return 0 if write.expect == "any" else write.expect


def outcome(*, known: bool | None) -> Outcome:
    """Return the outcome to tell of a write that failed."""
    return "unknown" if known is None else "not applied"


async def look(executor: Executor, table: Table, keys: Sequence[str], lost: LostReplyError) -> Rows:
    """Return the rows of these keys once the lost statement is over; its error if none can say."""
    try:
        return await executor.after(table.declaration.name, lost, Statements(table).look(keys))
    except StoreError as error:
        lost.error.outcome = outcome(known=False if mutant("lost_reply_is_failure") else None)
        raise lost.error from error


async def resolved(
    executor: Executor, table: Table, writes: Sequence[Put | Delete], lost: LostReplyError
) -> list[int | StoreError]:
    """Return the version that each write has made, or its error with the outcome."""
    rows = await look(executor, table, [write.key for write in writes], lost)
    there = {row["key"]: row for row in rows}
    return [_one(table.declaration, write, there.get(write.key), lost) for write in writes]


def _one(
    declaration: Declaration, write: Put | Delete, row: Any | None, lost: LostReplyError
) -> int | StoreError:
    known = told(declaration, write, row, lost)
    if known and row is not None:
        return int(row["version"])
    error = copy(lost.error)
    error.outcome = outcome(known=known)
    return error
