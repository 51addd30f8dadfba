"""Port `placement` in PostgreSQL: one row for each entity, in the schema of its application."""

from collections.abc import Mapping, Sequence
from typing import Any

from rightstore.adapters.postgres.client import PostgresConnection, Session
from rightstore.adapters.postgres.ddl import Ddl, Order, quoted, room
from rightstore.adapters.postgres.errors import translated
from rightstore.clock import Clock
from rightstore.ports.placement import Placement
from rightstore.ports.schema import Step

TABLE = "rightstore_placement"
IS_THERE = "SELECT to_regclass($1) IS NOT NULL"
HAS_SCHEMA = "SELECT to_regnamespace($1) IS NOT NULL"
CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
    entity text PRIMARY KEY, home text NOT NULL, store text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now()
)
"""
READ = "SELECT entity, home, store FROM {table} ORDER BY entity"
RECORD = """
INSERT INTO {table} AS known (entity, home, store)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (entity) DO UPDATE SET home = excluded.home WHERE known.home <> excluded.home
"""
APPLICATIONS = """
SELECT space.nspname FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = relnamespace
WHERE relname = 'rightstore_placement' AND relkind = 'r'
  AND has_schema_privilege(space.oid, 'USAGE') AND has_table_privilege(class.oid, 'SELECT')
ORDER BY space.nspname
"""


class PostgresPlacements:
    """Implements port `Placements`, and port `schema` (`Structure`) for the room that it needs."""

    def __init__(self, connection: PostgresConnection, namespace: str, clock: Clock) -> None:
        self._connection, self._namespace = connection, namespace
        self._table = f"{quoted(namespace)}.{TABLE}"
        self._ddl = Ddl(connection.target, namespace, clock)

    async def read(self) -> Mapping[str, Placement]:
        """Return the recorded placement of each entity."""
        with self._translated("read the placements"):
            async with self._connection.session() as session:
                if not await session.fetchval(IS_THERE, self._table):
                    return {}
                return await self._read(session)

    async def record(self, placements: Sequence[Placement]) -> Mapping[str, Placement]:
        """Record entities that have no placement yet, and the home of those that have."""
        # Everybody locks the rows in the same order.
        rows = sorted((each.entity, each.home, each.store) for each in placements)
        with translated("record the placements", at=self._connection.target.address):
            async with self._connection.session() as session:
                columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
                await session.execute(RECORD.format(table=self._table), *columns)
                return await self._read(session)

    async def plan(self) -> list[Step]:
        """Return what makes the table, and the schema that it is in."""
        with self._translated("schema"):
            async with self._connection.session() as session:
                if await session.fetchval(IS_THERE, self._table):
                    return []
                has_schema = await session.fetchval(HAS_SCHEMA, quoted(self._namespace))
        order = Order((CREATE.format(table=self._table),))
        made = Step("postgres", f"table {TABLE}", "create it", order=order)
        return [made] if has_schema else [room(self._namespace), made]

    async def apply(self, step: Step) -> None:
        """Do one step; what is there already is well."""
        await self._ddl.run(step.order, f"{step.subject}: {step.action}")

    async def _read(self, session: Session) -> Mapping[str, Placement]:
        rows = await session.fetch(READ.format(table=self._table))
        return {row["entity"]: Placement(**row) for row in rows}

    def _translated(self, operation: str) -> Any:
        at = self._connection.target.address
        return translated(operation, at=at, outcome="not applied")


class PostgresAtlas:
    """Implements port `Atlas`."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    async def __call__(self) -> Mapping[str, Sequence[Placement]]:
        """Return the placements of each application."""
        at = self._connection.target.address
        with translated("read the placements", at=at, outcome="not applied"):
            async with self._connection.session() as session:
                spaces = [row["nspname"] for row in await session.fetch(APPLICATIONS)]
                return {space: await _of(session, space) for space in spaces}


async def _of(session: Session, space: str) -> Sequence[Placement]:
    rows = await session.fetch(READ.format(table=f"{quoted(space)}.{TABLE}"))
    return [Placement(**row) for row in rows]
