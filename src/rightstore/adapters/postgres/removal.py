"""Removal of expired records of entities, so many at a time. Reads do not see them anyway."""
# ruff: noqa: S608 - quoted names, expressions of this room and parameters only

from rightstore.adapters.postgres.executor import Executor, LostReplyError
from rightstore.adapters.postgres.expression import Parameters
from rightstore.adapters.postgres.table import Statement, Table
from rightstore.errors import UsageError


async def remove_expired(executor: Executor, table: Table, limit: int) -> int:
    """Remove up to so many rows that have expired; return how many."""
    name = table.declaration.name
    parameters = Parameters(limit)
    expired = table.expired(table.scope(parameters))
    if expired is None:
        raise UsageError(f"{name}: its records do not expire: declare retain=Retain(…).")
    # Rows that somebody writes now are left for the next time.
    text = (
        f"WITH gone AS (SELECT key FROM {table.name} WHERE body IS NOT NULL AND {expired} "
        f"LIMIT $1::bigint FOR UPDATE SKIP LOCKED), "
        f"removed AS (DELETE FROM {table.name} AS at USING gone WHERE at.key = gone.key "
        "RETURNING 1) SELECT count(*) FROM removed"
    )
    try:
        rows = await executor.write(name, Statement(text, parameters.values))
    except LostReplyError as lost:
        # It may have removed some: nothing is lost by asking again.
        raise lost.error from lost
    return int(rows[0][0])
