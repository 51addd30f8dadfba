"""Port `schema` on PostgreSQL for entities: a table for each, and its indexes. It moves no rows.

Its own are known by the comment on a table and by the name of an index; nothing else is touched.
Indexes of a table that has rows are built CONCURRENTLY; one that was left half-built is built anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from rightstore.adapters.postgres.client import PostgresConnection, Session
from rightstore.adapters.postgres.ddl import Ddl, Order, room
from rightstore.adapters.postgres.errors import translated
from rightstore.adapters.postgres.identifier import literal, namespace_of, quoted
from rightstore.adapters.postgres.index import PREFIX, StoredIndex, indexes, removal
from rightstore.adapters.postgres.table import Table
from rightstore.adapters.postgres.word import COLLATION
from rightstore.clock import SYSTEM, Clock
from rightstore.model.declaration import Declaration
from rightstore.ports.schema import Step

MARK = "rightstore entity"
TABLES = """
SELECT relname AS name, obj_description(oid, 'pg_class') = $2 AS is_ours
FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')
"""
INDEXES = """
SELECT class.relname AS name, owner.relname AS table, indisvalid AS is_valid,
       indisunique AS is_unique, obj_description(class.oid, 'pg_class') AS wish
FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid
JOIN pg_class AS owner ON owner.oid = indrelid
WHERE NOT indisprimary AND class.relnamespace = to_regnamespace($1)
  AND class.relname LIKE 'rightstore\\_%'
  AND obj_description(owner.oid, 'pg_class') = $2
"""
COLLATIONS = """
SELECT EXISTS (SELECT FROM pg_collation WHERE collnamespace = to_regnamespace($1) AND collname = $2)
"""
HAS_SCHEMA = "SELECT to_regnamespace($1) IS NOT NULL"
# Two processes that create the same at once would meet in the catalogue: they take turns.
TURN = "SELECT pg_advisory_xact_lock(hashtextextended({name}, 0))"
TABLE = (
    'CREATE TABLE IF NOT EXISTS {table} (key text COLLATE "C" PRIMARY KEY, '
    "version bigint NOT NULL, body json, schema int NOT NULL, write_id text NOT NULL, "
    "wal bigint NOT NULL) WITH ({storage})"
)
# The first that the server has: its own since 17, ICU's, the C library's.
WORDS = """
DO $do$
DECLARE
    spoken text;
BEGIN
    FOREACH spoken IN ARRAY ARRAY[
        'provider = builtin, locale = ''C.UTF-8''', 'provider = icu, locale = ''und''',
        'provider = libc, locale = ''C.UTF-8''', 'provider = libc, locale = ''en_US.UTF-8'''
    ] LOOP
        BEGIN
            EXECUTE 'CREATE COLLATION IF NOT EXISTS {collation} (' || spoken || ')';
            RETURN;
        EXCEPTION WHEN invalid_parameter_value OR feature_not_supported OR undefined_object
            OR invalid_object_definition OR syntax_error THEN NULL;
        END;
    END LOOP;
    RAISE feature_not_supported USING MESSAGE = 'no collation knows the letters of all scripts';
END
$do$
"""


@dataclass(frozen=True, slots=True)
class _There:
    """What the namespace has now."""

    has_schema: bool = False
    tables: Mapping[str, bool] = field(default_factory=dict)
    indexes: Mapping[str, Any] = field(default_factory=dict)
    has_words: bool = False


class PostgresSchema:
    """The structure of one application's entities."""

    def __init__(
        self, connection: PostgresConnection, namespace: str, clock: Clock = SYSTEM
    ) -> None:
        self._connection, self._namespace = connection, namespace
        self._space = namespace_of(namespace)
        self._ddl = Ddl(connection.target, namespace, clock)

    async def plan(self, declarations: Sequence[Declaration]) -> list[Step]:
        """Compare what is there with these entities."""
        there = await self._there()
        steps = [] if there.has_schema or not declarations else [room(self._namespace)]
        tables: dict[str, list[Table]] = {}
        for declaration in declarations:
            table = Table(declaration, self._namespace)
            tables.setdefault(declaration.name, []).append(table)
        wanted = {
            name: {index.name: index for index in chain.from_iterable(map(indexes, of_name))}
            for name, of_name in tables.items()
        }
        found = [index for of_name in wanted.values() for index in of_name.values()]
        if any(index.text for index in found) and not there.has_words:
            steps.append(self._words())
        for name, of_name in tables.items():
            steps.extend(self._needed(there, name, of_name[0], wanted[name]))
        return [*steps, *self._left_over(there, wanted)]

    async def apply(self, step: Step) -> None:
        """Do one step; an index that another process has built meanwhile is well."""
        order: Order = step.order
        if order.alone:
            there = await self._there()
            done = [name for name, row in there.indexes.items() if row["is_valid"]]
            if any(f'IF NOT EXISTS "{name}"' in order.statements[-2] for name in done):
                return
        await self._ddl.run(order, f"{step.subject}: {step.action}")

    async def _there(self) -> _There:
        with translated("schema", at=self._connection.target.address, outcome="not applied"):
            async with self._connection.session() as session:
                return await self._look(session)

    async def _look(self, session: Session) -> _There:
        if not await session.fetchval(HAS_SCHEMA, self._space):
            return _There()
        return _There(
            True,
            {
                row["name"]: bool(row["is_ours"])
                for row in await session.fetch(TABLES, self._space, MARK)
            },
            {row["name"]: row for row in await session.fetch(INDEXES, self._space, MARK)},
            bool(await session.fetchval(COLLATIONS, self._space, COLLATION)),
        )

    def _words(self) -> Step:
        collation = f"{self._space}.{quoted(COLLATION)}"
        order = Order((self._turn(), WORDS.format(collation=collation)))
        return Step("postgres", f"collation {COLLATION}", "create it", order=order)

    def _needed(
        self, there: _There, name: str, table: Table, wanted: Mapping[str, StoredIndex]
    ) -> Iterator[Step]:
        if name not in there.tables:
            yield self._created(name, table, wanted)
            return
        for index in wanted.values():
            known = there.indexes.get(index.name)
            if known is None or not known["is_valid"]:
                yield _built(name, index, half=known is not None)

    def _created(self, name: str, table: Table, wanted: Mapping[str, StoredIndex]) -> Step:
        statements = [
            self._turn(),
            TABLE.format(table=table.name, storage=_storage(table.declaration)),
            f"COMMENT ON TABLE {table.name} IS {literal(MARK)}",
        ]
        for index in wanted.values():
            statements += [index.creation(gently=False), index.comment]
        action = "create it"
        if wanted:
            action += f" with {', '.join(dict.fromkeys(it.wish for it in wanted.values()))}"
        return Step("postgres", f"table {name}", action, order=Order(tuple(statements)))

    def _left_over(
        self, there: _There, wanted: Mapping[str, Mapping[str, StoredIndex]]
    ) -> Iterator[Step]:
        for name, row in there.indexes.items():
            if row["table"] in wanted and name not in wanted[row["table"]]:
                yield self._dropped(name, row)
        for name, is_ours in there.tables.items():
            if is_ours and name not in wanted:
                order = Order((f"DROP TABLE IF EXISTS {self._space}.{quoted(name)}",))
                yield Step(
                    "postgres", f"table {name}", "drop it and its records: no entity is kept there",
                    destructive=True, order=order, phase="contract",
                )  # fmt: skip

    def _dropped(self, name: str, row: Any) -> Step:
        wish = str(row["wish"] or name).removeprefix("rightstore ")
        return Step(
            "postgres",
            f"table {row['table']}",
            f"drop {wish}, which is not declared any more",
            destructive=bool(row["is_unique"]),
            order=Order(("SELECT 1", removal(self._space, name), "SELECT 1"), alone=True),
            phase="contract",
        )

    def _turn(self) -> str:
        return TURN.format(name=literal(f"{PREFIX}schema {self._namespace}"))


def _built(name: str, index: StoredIndex, *, half: bool) -> Step:
    """Return the step that builds an index while writers go on."""
    statements = [index.creation(gently=True), index.comment]
    if half:
        statements.insert(0, index.removal())
    return Step(
        "postgres",
        f"table {name}",
        f"build {index.wish}{' anew, it was left half-built' if half else ''}",
        order=Order(tuple(statements), alone=True),
        # Code that ran before may write what a unique index forbids.
        phase="contract" if index.unique else "expand",
    )


def _storage(declaration: Declaration) -> str:
    """Room for updates beside what is updated; what expires is swept before it grows old."""
    options = {} if declaration.append_only else {"fillfactor": "90"}
    if declaration.retain:
        options["autovacuum_vacuum_scale_factor"] = "0.05"
        options["autovacuum_vacuum_insert_scale_factor"] = "0.05"
    options = options or {"fillfactor": "100"}
    return ", ".join(f"{name} = {value}" for name, value in options.items())
