"""Rows of tracked tables that have expired by the server's clock: which, and their removal."""
# ruff: noqa: S608 - quoted names of a declaration and constants of it only

from typing import Any

from sqlalchemy import DateTime

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.errors import translated
from rightstore.adapters.postgres.identifier import literal, namespace_of, quoted
from rightstore.errors import UsageError
from rightstore.table.track import TrackedTable


class TableExpiry:
    """Removes expired rows of the tables of one application, a few at a time."""

    def __init__(self, connection: PostgresConnection, namespace: str) -> None:
        self._connection, self._namespace = connection, namespace

    async def remove_expired(self, tracked: TrackedTable[Any], limit: int) -> int:
        """Remove up to `limit` expired rows; return how many: less means there are no more now.

        Any number of processes may do it at once; rows that somebody changes are left for later.
        """
        table = f"{namespace_of(self._namespace)}.{quoted(tracked.table.name)}"
        key = ", ".join(quoted(column.name) for column in tracked.key)
        statement = (
            f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} "
            f"WHERE {expired(tracked)} LIMIT $1 FOR UPDATE SKIP LOCKED)"
        )
        with translated("remove_expired", at=self._connection.target.address):
            async with self._connection.session() as session:
                done = await session.execute(statement, limit)
        return int(done.rpartition(" ")[2])


def expired(tracked: TrackedTable[Any], prefix: str = "") -> str:
    """Return the condition that a row has expired. What has no zone is in UTC."""
    retain = tracked.retain
    if retain is None:
        raise UsageError(f"{tracked.name}: its rows never expire: declare retain=.")
    kind = tracked.table.columns[retain.since].type
    has_zone = isinstance(kind, DateTime) and kind.timezone
    cast, now = ("", "now()") if has_zone else ("::timestamp", "(now() AT TIME ZONE 'UTC')")
    age = f"make_interval(secs => {retain.age.total_seconds()!r})"
    met = [f"{prefix}{quoted(retain.since)}{cast} <= {now} - {age}"]
    met += [
        f"{prefix}{quoted(name)} IS NOT DISTINCT FROM {_constant(value)}"
        for name, value in (retain.where or {}).items()
    ]
    return " AND ".join(met)


def _constant(value: object) -> str:
    if isinstance(value, str):
        return literal(value)
    return "NULL" if value is None else str(value).upper()  # an int or a bool: `track` sees to it
