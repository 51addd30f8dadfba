"""Port `upgrade` on PostgreSQL: look through a table by its key, so many rows at a time."""

from typing import Any

import asyncpg

from rightstore.adapters.postgres.body import decoder_of
from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.errors import translated
from rightstore.adapters.postgres.expression import Parameters
from rightstore.adapters.postgres.table import Table
from rightstore.clock import Clock
from rightstore.model.declaration import Declaration
from rightstore.ports.records import Stored
from rightstore.ports.upgrade import Older

# Rows looked at in one call: fast enough for any statement timeout.
WINDOW = 2_000
OLDER = """
WITH looked AS (
    SELECT key, version, body, schema, write_id, ({lives} AND schema < {schema}) AS is_older
    FROM {table} AS at WHERE key > {after} ORDER BY key LIMIT {window}
), edge AS (
    SELECT max(key) AS key, count(*) AS size FROM looked
)
SELECT looked.key, version, body, schema, write_id, is_older, edge.size
FROM looked JOIN edge ON is_older OR looked.key = edge.key
ORDER BY looked.key
"""


class PostgresOlder:
    """What is left of older schemas in the tables of one application's entities."""

    def __init__(
        self, connection: PostgresConnection, namespace: str, clock: Clock, *, window: int = WINDOW
    ) -> None:
        self._connection, self._namespace, self._clock = connection, namespace, clock
        self._window = window

    async def older(self, declaration: Declaration, limit: int, after: str | None = None) -> Older:
        """Return records of an older schema, in the order of their keys."""
        table = Table(declaration, self._namespace, self._clock)
        parameters = Parameters()
        text = OLDER.format(
            lives=table.lives(table.scope(parameters)),
            schema=parameters.add(declaration.schema, "bigint"),
            table=table.name,
            after=parameters.add(after or "", "text"),
            window=parameters.add(self._window, "bigint"),
        )
        with translated("older", at=self._connection.target.address, outcome="not applied"):
            async with self._connection.session() as session:
                try:
                    rows = await session.fetch(text, *parameters.values)
                except asyncpg.UndefinedTableError:
                    return Older()
        return self._judged(declaration, rows, limit)

    def _judged(self, declaration: Declaration, rows: list[Any], limit: int) -> Older:
        """Return what was found; the last row may only say how far the look went."""
        decode = decoder_of(declaration)
        found = [
            Stored(
                row["key"],
                row["version"],
                decode(row["body"], row["schema"]),
                row["schema"],
                row["write_id"],
            )
            for row in rows
            if row["is_older"]
        ]
        if len(found) > limit:
            return Older(found[:limit], found[limit - 1].key)
        is_all = not rows or rows[-1]["size"] < self._window
        return Older(found, None if is_all else rows[-1]["key"])
