"""Tables of an application: plan, apply, an empty plan; gently, repeatably, nobody else's."""

import asyncio
import enum
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy import (
    Column,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    text,
)

from rightstore.adapters.postgres.client import PostgresConnection, connect
from rightstore.adapters.postgres.migration import PostgresTables
from rightstore.clock import SYSTEM
from rightstore.errors import ConstraintError, DeadlineError, RejectedError
from rightstore.patterns.schema.apply import Applied, Permission, Progress, apply
from rightstore.ports.connection import Target
from rightstore.ports.schema import Step

ALL = Permission(destructive=True)


class Kind(enum.Enum):
    BOOK = "book"
    FILM = "film"


class Wide(enum.Enum):
    BOOK = "book"
    FILM = "film"
    GAME = "game"


def shop(*more: Any, kind: type[enum.Enum] = Kind) -> MetaData:
    """An application of two tables; `more` is added to the second one."""
    metadata = MetaData()
    Table(
        "customer",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("email", String(50), nullable=False, unique=True, comment="100 % unique"),
    )
    Table(
        "purchase",
        metadata,
        Column("id", String, primary_key=True),
        Column("customer_id", ForeignKey("customer.id", ondelete="CASCADE"), nullable=False),
        Column("total", Numeric(12, 2), nullable=False, server_default=text("0")),
        Column("kind", Enum(kind, name="kind"), nullable=False, server_default="BOOK"),
        Index("purchase_total", "total"),
        Index("purchase_lower", text("lower(id)")),
        *more,
    )
    return metadata


@pytest.fixture
def store() -> str:
    """Tables live in PostgreSQL."""
    return "postgres"


@pytest.fixture
def target(store_urls: Mapping[str, str]) -> Target:
    return Target("postgres", store_urls["postgres"], lock_timeout=0.1)


@pytest.fixture
async def session(target: Target, namespace: str) -> AsyncIterator[Any]:
    """A connection of somebody who is not the library."""
    connection = await asyncpg.connect(
        target.url, server_settings={"search_path": namespace, "application_name": "somebody"}
    )
    yield connection
    await connection.execute(f"DROP SCHEMA IF EXISTS {namespace} CASCADE")
    await connection.close()


@pytest.fixture
def connection(target: Target) -> PostgresConnection:
    return connect(target, SYSTEM)


def silent(_: Progress) -> None: ...


class Tables:
    """What a person does with the tables of one namespace."""

    def __init__(self, connection: PostgresConnection, namespace: str) -> None:
        self._connection, self._namespace = connection, namespace

    def of(self, models: MetaData) -> PostgresTables:
        return PostgresTables(self._connection, self._namespace, SYSTEM, models=[models])

    async def plan(self, models: MetaData) -> list[Step]:
        return await self.of(models).plan()

    async def become(self, models: MetaData) -> Applied:
        return await apply([self.of(models)], ALL, report=silent)


@pytest.fixture
def tables(connection: PostgresConnection, namespace: str, session: Any) -> Tables:
    return Tables(connection, namespace)


def told(steps: list[Step]) -> list[tuple[str, str, str, bool]]:
    return [(step.subject, step.action, step.phase, step.destructive) for step in steps]


async def test_a_plan_is_in_words_and_once_it_is_applied_there_is_none(
    tables: Tables, namespace: str
) -> None:
    steps = await tables.plan(shop())
    applied = await tables.become(shop())

    assert [(step.subject, step.action) for step in steps] == [
        (f"schema {namespace}", "create it"),
        ("table customer", "create the table"),
        ("table purchase", "create the table"),
        ("table purchase", "create the index purchase_lower"),
        ("table purchase", "create the index purchase_total"),
    ]
    assert {(step.phase, step.destructive) for step in steps} == {("expand", False)}
    assert applied.error is None
    assert await tables.plan(shop()) == []


async def test_what_is_added_is_built_while_others_write(tables: Tables, session: Any) -> None:
    await tables.become(shop())
    await session.execute("INSERT INTO customer (email) VALUES ('a'), ('b')")
    await session.execute("INSERT INTO purchase (id, customer_id) VALUES ('x', 1), ('y', 2)")
    more = shop(
        Column("note", String),
        Column("second", Enum(Kind, name="second"), server_default="FILM", nullable=False),
        Column("voucher", String),
        Column("friend_id", ForeignKey("customer.id")),
        UniqueConstraint("voucher"),
        Index("purchase_note", "note"),
    )

    steps = await tables.plan(more)
    applied = await tables.become(more)

    assert sorted(told(steps)) == [
        ("table purchase", "add the column friend_id INTEGER", "expand", False),
        ("table purchase", "add the column note VARCHAR", "expand", False),
        ("table purchase", "add the column second second", "expand", False),
        ("table purchase", "add the column voucher VARCHAR", "expand", False),
        ("table purchase", "build the index purchase_note while others write", "expand", False),
        ("table purchase", "make friend_id refer to customer(id)", "contract", False),
        ("table purchase", "make voucher unique", "contract", False),
    ]
    assert applied.error is None
    assert await tables.plan(more) == []
    assert await session.fetchval("SELECT count(*) FROM purchase WHERE second = 'FILM'") == 2


async def test_what_goes_is_destructive_and_goes(tables: Tables) -> None:
    more = shop(Column("note", String), Index("purchase_note", "note"))
    await tables.become(more)

    steps = await tables.plan(shop())
    await tables.become(shop())
    everything = await tables.plan(MetaData())

    assert told(steps) == [
        ("table purchase", "drop the index purchase_note", "contract", False),
        ("table purchase", "drop the column note with all its values", "contract", True),
    ]
    assert await tables.plan(shop()) == []
    assert ("table customer", "drop the table with all its rows", "contract", True) in told(
        everything
    )


async def test_a_column_changes_one_aspect_at_a_time(tables: Tables, session: Any) -> None:
    old = shop(Column("note", String(10)), Column("size", String, comment="old"))
    new = shop(
        Column("note", String(20), nullable=False, server_default="-"),
        Column("size", Integer, comment="new"),
    )
    await tables.become(old)

    steps = await tables.plan(new)
    await session.execute("ALTER TABLE purchase ALTER COLUMN size TYPE integer USING 1")
    await tables.become(new)

    assert told(steps) == [
        ("table purchase", "column note: make it VARCHAR(20)", "expand", False),
        ("table purchase", "column note: let it be NULL no more", "contract", False),
        ("table purchase", "column note: change its default", "expand", False),
        (
            "table purchase",
            "column size: make it INTEGER, which rewrites every row",
            "contract",
            True,
        ),
        ("table purchase", "column size: change its comment", "expand", False),
    ]
    assert await tables.plan(new) == []


async def test_an_enum_takes_the_values_that_it_has_gained(tables: Tables, session: Any) -> None:
    await tables.become(shop())

    steps = await tables.plan(shop(kind=Wide))
    await tables.become(shop(kind=Wide))

    labels = await session.fetchval("SELECT enum_range(NULL::kind)::text")
    assert told(steps) == [("type kind", "take the value 'GAME' too", "expand", False)]
    assert labels == "{BOOK,FILM,GAME}"
    assert await tables.plan(shop(kind=Wide)) == []


async def test_two_tables_may_share_an_enum_which_outlives_both(tables: Tables) -> None:
    both = shop(Column("other", Enum(Kind, name="kind")))
    Table("third", both, Column("id", Enum(Kind, name="kind"), primary_key=True))

    await tables.become(both)
    gone = await tables.become(MetaData())
    back = await tables.become(both)

    assert (gone.error, back.error) == (None, None)
    assert await tables.plan(both) == []


async def test_tables_of_others_are_not_touched(
    tables: Tables, connection: PostgresConnection, namespace: str, session: Any
) -> None:
    await tables.become(shop())
    await session.execute(f"CREATE SCHEMA {namespace}_2; CREATE TABLE {namespace}_2.other (id int)")
    await session.execute("CREATE TABLE rightstore_log (id int); CREATE TABLE product (key text)")
    await session.execute("CREATE TABLE alembic_version (version_num text)")
    foreign = shop()
    Table("theirs", foreign, Column("id", Integer, primary_key=True), schema="elsewhere")

    steps = await PostgresTables(
        connection, namespace, SYSTEM, models=[foreign], entities=frozenset({"product"})
    ).plan()

    await session.execute(f"DROP SCHEMA {namespace}_2 CASCADE")
    assert steps == []


async def test_an_index_that_was_half_built_is_built_again(tables: Tables, session: Any) -> None:
    await tables.become(shop(Column("note", String)))
    await session.execute("INSERT INTO customer (email) VALUES ('a')")
    await session.execute(
        "INSERT INTO purchase (id, customer_id, note) VALUES ('x', 1, 'n'), ('y', 1, 'n')"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await session.execute("CREATE UNIQUE INDEX CONCURRENTLY purchase_note ON purchase (note)")
    wanted = shop(Column("note", String), Index("purchase_note", "note"))

    steps = await tables.plan(wanted)
    applied = await tables.become(wanted)

    assert [step.action for step in steps] == ["build the index purchase_note while others write"]
    assert applied.error is None
    assert await tables.plan(wanted) == []


async def test_rows_that_break_a_new_rule_are_said_to_do_so(tables: Tables, session: Any) -> None:
    await tables.become(shop())
    await session.execute("INSERT INTO customer (email) VALUES ('a')")
    needed = MetaData()
    Table(
        "customer",
        needed,
        Column("id", Integer, primary_key=True),
        Column("email", String(50), nullable=False, unique=True, comment="100 % unique"),
        Column("age", Integer, nullable=False),
    )
    step = next(it for it in await tables.plan(needed) if "age" in it.action)

    with pytest.raises(ConstraintError) as refused:
        await tables.of(needed).apply(step)

    assert "with no server_default it fails as soon as there are rows" in step.action
    assert step.phase == "contract"
    assert "give the column a server_default" in str(refused.value)


async def test_a_lock_that_others_hold_is_waited_for_a_while_and_its_holder_named(
    tables: Tables, session: Any
) -> None:
    await tables.become(shop())
    more = shop(Column("note", String))
    held = session.transaction()
    await held.start()
    await session.execute("LOCK TABLE purchase IN ACCESS SHARE MODE")

    applied = await tables.become(more)
    await held.rollback()
    again = await tables.become(more)

    assert isinstance(applied.error, DeadlineError)
    assert applied.error.outcome == "not applied"
    assert f"pid {session.get_server_pid()}" in str(applied.error)
    assert "somebody, idle in transaction" in str(applied.error)
    assert again.error is None


async def test_what_the_server_refuses_is_said_in_its_words_with_a_remedy(
    tables: Tables, session: Any
) -> None:
    await tables.become(shop(Column("size", String)))

    applied = await tables.become(shop(Column("size", Integer)))

    assert isinstance(applied.error, RejectedError)
    assert str(applied.error).endswith(
        'column "size" cannot be cast automatically to type integer; correct the declaration, or '
        "make the change by hand."
    )


async def test_two_processes_at_once_do_no_harm(tables: Tables) -> None:
    one, other = await asyncio.gather(tables.become(shop()), tables.become(shop()))

    assert (one.error, other.error) == (None, None)
    assert await tables.plan(shop()) == []


async def test_a_step_that_is_done_already_is_well(tables: Tables) -> None:
    steps = await tables.plan(shop())
    await tables.become(shop())

    for step in steps:
        await tables.of(shop()).apply(step)

    assert await tables.plan(shop()) == []
