"""What the database itself does for tracked tables: versions, append_only. It writes no log.

A trigger says in its comment what it was made from, so that a change of ours is seen as one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.ddl import Ddl, Order, owned
from rightstore.adapters.postgres.errors import translated
from rightstore.adapters.postgres.expiry import expired
from rightstore.adapters.postgres.identifier import literal, namespace_of, quoted
from rightstore.clock import Clock
from rightstore.mutant import mutant
from rightstore.ports.schema import Step
from rightstore.table.track import TrackedTable

FUNCTION = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog AS $$ BEGIN {body} END $$
"""
VERSION = """
IF TG_OP = 'INSERT' THEN NEW.version := 1; ELSE NEW.version := OLD.version + 1; END IF;
RETURN NEW;
"""
REFUSE = """
RAISE restrict_violation USING
  MESSAGE = format('%I takes new rows only', TG_TABLE_NAME),
  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'append_only';
"""
FOUND = """
SELECT class.relname AS table, tgname AS name,
       CASE WHEN tgenabled IN ('O', 'A')
            THEN obj_description(pg_trigger.oid, 'pg_trigger') END AS mark
FROM pg_trigger JOIN pg_class AS class ON class.oid = tgrelid
WHERE class.relnamespace = to_regnamespace($1) AND NOT tgisinternal AND tgparentid = 0
  AND tgname LIKE 'rightstore\\_%'
ORDER BY 1, 2
"""
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger as it shall be: when it fires, and what its function does."""

    table: str
    name: str
    when: str
    function: str
    body: str
    purpose: str

    @property
    def mark(self) -> str:
        """What its comment says: another text means another trigger."""
        made_from = "\n".join((self.when, self.function, self.body)).encode()
        return f"rightstore {blake2b(made_from, digest_size=8).hexdigest()}"

    def order(self, namespace: str) -> Order:
        """Return the statements that make it, or make it anew."""
        schema = namespace_of(namespace)
        table, name = f"{schema}.{quoted(self.table)}", quoted(self.name)
        function = f"{schema}.{quoted(self.function)}"
        return Order(
            (
                FUNCTION.format(function=function, body=self.body),
                f"CREATE OR REPLACE TRIGGER {name} {self.when.format(table=table)} "
                f"EXECUTE FUNCTION {function}()",
                f"ALTER TABLE {table} ENABLE TRIGGER {name}",
                f"COMMENT ON TRIGGER {name} ON {table} IS {literal(self.mark)}",
            )
        )


class PostgresTriggers:
    """Implements port `schema` (`Structure`) for the triggers of these tables.

    Its plan comes after that of the tables: a trigger needs its table, with the column `version`.
    """

    def __init__(
        self,
        connection: PostgresConnection,
        namespace: str,
        clock: Clock,
        *,
        tables: Sequence[TrackedTable[Any]],
    ) -> None:
        self._target, self._namespace, self._tables = connection.target, namespace, tables
        self._ddl = Ddl(connection.target, namespace, clock)

    async def plan(self) -> list[Step]:
        """Compare the triggers that shall be with those that are."""
        there = await self._there()
        wanted = self._wanted()
        made = [
            Step(
                "postgres",
                f"table {trigger.table}",
                f"{'replace' if place in there else 'add'} the trigger that {trigger.purpose}",
                order=trigger.order(self._namespace),
            )
            for place, trigger in wanted.items()
            if there.get(place) != trigger.mark
        ]
        return made + [self._drop(place) for place in there if place not in wanted]

    async def apply(self, step: Step) -> None:
        """Do one step; again does no harm."""
        await self._ddl.run(step.order, f"{step.subject}: {step.action}")

    async def missing(self) -> list[str]:
        """Return the names of the tables that lack a trigger, or have an old or a disabled one."""
        there = await self._there()
        wanted = self._wanted().items()
        return sorted({place[0] for place, one in wanted if there.get(place) != one.mark})

    async def _there(self) -> dict[Place, str | None]:
        async with owned(self._target, self._namespace) as session:
            with translated("schema", at=self._target.address, outcome="not applied"):
                rows = await session.fetch(FOUND, namespace_of(self._namespace))
        return {(row["table"], row["name"]): row["mark"] for row in rows}

    def _wanted(self) -> dict[Place, Trigger]:
        return {
            (trigger.table, trigger.name): trigger
            for tracked in self._tables
            for trigger in triggers(tracked)
        }

    def _drop(self, place: Place) -> Step:
        table, name = place
        schema = namespace_of(self._namespace)
        order = Order((f"DROP TRIGGER IF EXISTS {quoted(name)} ON {schema}.{quoted(table)}",))
        return Step(
            "postgres", f"table {table}", f"drop the trigger {name}", destructive=True, order=order
        )


def triggers(tracked: TrackedTable[Any]) -> Iterator[Trigger]:
    """Yield the triggers that a tracked table needs."""
    table = tracked.table.name
    if not mutant("no_version_trigger"):
        yield Trigger(
            table,
            "rightstore_version",
            "BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW",
            "rightstore_version",
            VERSION,
            "raises the version",
        )
    if not tracked.append_only or mutant("no_append_only_trigger"):
        return
    unless = "" if tracked.retain is None else f" WHEN (({expired(tracked, 'OLD.')}) IS NOT TRUE)"
    # By row, since a cascade from a row that has none here changes nothing.
    for word, scope in (
        ("update", "ROW"),
        ("delete", f"ROW{unless.replace('{', '{{').replace('}', '}}')}"),
        ("truncate", "STATEMENT"),
    ):
        yield Trigger(
            table,
            f"rightstore_no_{word}",
            f"BEFORE {word.upper()} ON {{table}} FOR EACH {scope}",
            "rightstore_append_only",
            REFUSE,
            f"refuses {word.upper()}",
        )
