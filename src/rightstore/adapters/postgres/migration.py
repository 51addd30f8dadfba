"""The tables of an application: Alembic compares its models with the schema that is there.

Entities are not its business, nor tables in other schemas, nor rows. It keeps no revisions: what
there is and what is declared are all it needs.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeVar

from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import Connection, Enum, MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateSequence

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.ddl import Ddl, Order, Session, literal, owned, quoted, room
from rightstore.adapters.postgres.default import judge_defaults
from rightstore.adapters.postgres.errors import translated
from rightstore.adapters.postgres.operation import DIALECT, steps
from rightstore.clock import Clock
from rightstore.errors import ConstraintError, RejectedError
from rightstore.ports.schema import Step

T = TypeVar("T")
HAS_SCHEMA = "SELECT to_regnamespace($1) IS NOT NULL"
# What lies in the schema and is no table of the application's: partitions are their table's.
NOT_THEIRS = """
SELECT relname FROM pg_class
WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')
  AND (relispartition OR relname LIKE 'rightstore\\_%' OR relname = 'alembic_version'
       OR obj_description(oid, 'pg_class') LIKE 'rightstore %')
"""
UNFINISHED = """
SELECT class.relname AS name FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid
WHERE class.relnamespace = to_regnamespace($1) AND NOT indisvalid
UNION ALL
SELECT conname FROM pg_constraint
WHERE connamespace = to_regnamespace($1) AND contype = 'f' AND NOT convalidated
"""
RULES = ("index", "unique_constraint", "foreign_key_constraint")
SEQUENCES = """
SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'S'
"""
LABELS = """
SELECT kind.typname, array_agg(label.enumlabel::text) AS labels
FROM pg_enum AS label JOIN pg_type AS kind ON kind.oid = label.enumtypid
WHERE kind.typnamespace = to_regnamespace($1)
GROUP BY kind.typname
"""


class PostgresTables:
    """Implements port `schema` (`Structure`) for the tables that these models declare."""

    def __init__(
        self,
        connection: PostgresConnection,
        namespace: str,
        clock: Clock,
        *,
        models: Sequence[MetaData],
        entities: frozenset[str] = frozenset(),
    ) -> None:
        """`entities` are the names of tables that hold entities."""
        self._target, self._namespace, self._models = connection.target, namespace, models
        self._entities = entities
        # Types of extensions lie in public.
        self._ddl = Ddl(connection.target, namespace, clock, path=("public",))

    async def plan(self) -> list[Step]:
        """Compare the models with what is there."""
        if not self._models:
            return []
        async with owned(self._target, self._namespace) as session, self._unwrapped():
            if not await session.fetchval(HAS_SCHEMA, quoted(self._namespace)):
                made = [room(self._namespace)]
            else:
                made = await self._missing_labels(session)
            made += await self._missing_sequences(session)
            found = await self._compare(session)
        fresh = frozenset(op.table_name for op in found if isinstance(op, ops.CreateTableOp))
        return made + [step for op in found for step in steps(op, fresh=fresh)]

    async def apply(self, step: Step) -> None:
        """Do one step; one that proves to be done already is well."""
        try:
            await self._ddl.run(step.order, f"{step.subject}: {step.action}")
        except (RejectedError, ConstraintError):
            if step in await self.plan():
                raise

    async def _compare(self, session: Session) -> list[Any]:
        """Return Alembic's operations, what it groups by table taken apart."""
        name = quoted(self._namespace)
        kept = {row["relname"] for row in await session.fetch(NOT_THEIRS, name)} | self._entities
        unfinished = {row["name"] for row in await session.fetch(UNFINISHED, name)}

        def concerns(name: str | None, kind: str, _: Any) -> bool:
            return name not in (kept if kind == "table" else unfinished if kind in RULES else ())

        def compare(connection: Connection) -> list[Any]:
            context = MigrationContext.configure(
                connection=connection,
                opts={
                    "target_metadata": list(self._models),
                    "include_name": concerns,
                    "include_object": _is_here,
                    "compare_type": True,
                    "compare_server_default": True,
                },
            )
            judge_defaults(context)
            found = produce_migrations(context, list(self._models))  # type: ignore[arg-type] # it takes several
            return _ordered([*_flat(found.upgrade_ops), *self._references(found.upgrade_ops)])

        return await _run_sync(session, compare)

    async def _missing_labels(self, session: Session) -> list[Step]:
        """Return what makes an enum of the database take the values that its models have gained."""
        rows = await session.fetch(LABELS, quoted(self._namespace))
        there = {row["typname"]: set(row["labels"]) for row in rows}
        wanted = {str(kind.name): kind for kind in _enums(self._models) if kind.name in there}
        return [
            Step(
                "postgres",
                f"type {name}",
                f"take the value {label!r} too",
                order=Order((_ADD_VALUE.format(quoted(name), literal(label)),), alone=True),
            )
            for name, kind in wanted.items()
            for label in kind.enums
            if label not in there[name]
        ]

    async def _missing_sequences(self, session: Session) -> list[Step]:
        """Return what makes sequences that models name: Alembic makes none."""
        rows = await session.fetch(SEQUENCES, quoted(self._namespace))
        there = {row["relname"] for row in rows}
        named = [each for models in self._models for each in models._sequences.values()]  # noqa: SLF001 - there is no other way to them
        return [
            Step(
                "postgres",
                f"sequence {each.name}",
                "create it",
                order=Order(
                    (str(CreateSequence(each, if_not_exists=True).compile(dialect=DIALECT)),)
                ),
            )
            for each in named
            if each.name not in there and each.schema is None and not each.optional
        ]

    def _references(self, found: Any) -> Iterator[Any]:
        """Yield the foreign keys of new tables that are to be added when all of these are there."""
        new = {op.table_name for op in _flat(found) if isinstance(op, ops.CreateTableOp)}
        for models in self._models:
            for table in models.tables.values():
                for key in table.foreign_key_constraints if table.name in new else ():
                    if key.use_alter:
                        yield ops.CreateForeignKeyOp.from_constraint(key)

    @asynccontextmanager
    async def _unwrapped(self) -> AsyncIterator[None]:
        """Let only errors of ours out, also of what SQLAlchemy has wrapped."""
        with translated("schema", at=self._target.address, outcome="not applied"), _bare():
            yield


_ADD_VALUE = "ALTER TYPE {} ADD VALUE IF NOT EXISTS {}"


async def _run_sync(session: Session, work: Callable[[Connection], T]) -> T:
    async def lend() -> Session:
        return session

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lend, poolclass=StaticPool)
    async with engine.connect() as connection:
        return await connection.run_sync(work)


@contextmanager
def _bare() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise (error.orig.__cause__ if error.orig else None) or error from None


def _is_here(thing: Any, _: str | None, kind: str, *__: Any) -> bool:
    """Leave tables in other schemas alone."""
    return kind != "table" or thing.schema is None


def _flat(container: Any) -> Iterator[Any]:
    for op in container.ops:
        if isinstance(op, ops.OpContainer):
            yield from _flat(op)
        else:
            yield op


def _ordered(found: list[Any]) -> list[Any]:
    """Return operations in an order that works: who refers to a table goes before it does.

    What is in a table that goes is no operation of its own.
    """
    drops = {op.table_name: op for op in found if isinstance(op, ops.DropTableOp)}
    graph: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(drops, ()))
    for name, op in drops.items():
        for key in op.to_table().foreign_keys:
            graph.add(key.target_fullname.split(".")[-2], name)
    try:
        order = [name for name in graph.static_order() if name in drops]
    except CycleError:
        order = list(drops)
    kept = [op for op in found if getattr(op, "table_name", None) not in drops]
    return kept + [drops[name] for name in order]


def _enums(models: Sequence[MetaData]) -> Iterator[Enum]:
    for metadata in models:
        for table in metadata.tables.values():
            for column in table.columns:
                if isinstance(column.type, Enum) and column.type.native_enum:
                    yield column.type
