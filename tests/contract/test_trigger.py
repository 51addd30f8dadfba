"""What the database does by itself for tracked tables, whoever writes: versions, append_only.

It cannot catch a superuser, who may switch triggers off.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import DateTime, ForeignKey, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.expiry import TableExpiry
from rightstore.adapters.postgres.relational import PostgresRelational
from rightstore.adapters.postgres.trigger import PostgresTriggers
from rightstore.clock import SYSTEM
from rightstore.errors import ConstraintError, VersionConflictError
from rightstore.model.wish import Retain
from rightstore.ports.connection import Target
from rightstore.table.track import TrackedTable, track
from rightstore.table.versioned import Versioned

DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call] # as it is


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy's own


class Order(Versioned, Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="new")


class Audit(Versioned, Base):
    __tablename__ = "audits"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=SYSTEM.now)


orders = track(Order)
audits = track(Audit, append_only=True)
kept = track(
    Audit, append_only=True, retain=Retain("at", timedelta(days=30), where={"reason": "o'k"})
)


@pytest.fixture
def store() -> str:
    """Only PostgreSQL has tables."""
    return "postgres"


@pytest.fixture
async def direct(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection of a stranger who writes SQL by hand, and the tables."""
    connection = await asyncpg.connect(
        store_urls["postgres"], server_settings={"search_path": f'"{namespace}"'}
    )
    await connection.execute(f'CREATE SCHEMA "{namespace}"')
    for table in Base.metadata.sorted_tables:
        await connection.execute(str(CreateTable(table).compile(dialect=DIALECT)))
    yield connection
    await connection.execute(f'DROP SCHEMA "{namespace}" CASCADE')
    await connection.close()


@pytest.fixture
async def connection(store_urls: Mapping[str, str]) -> AsyncIterator[PostgresConnection]:
    made = postgres(Target("postgres", store_urls["postgres"]), SYSTEM)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def relational(
    connection: PostgresConnection, namespace: str
) -> AsyncIterator[PostgresRelational]:
    made = PostgresRelational(connection, namespace, SYSTEM)
    yield made
    await made.close()


class Room:
    """The triggers of tables in one namespace."""

    def __init__(self, connection: PostgresConnection, namespace: str) -> None:
        self._connection, self._namespace = connection, namespace

    def of(self, *tables: TrackedTable[Any]) -> PostgresTriggers:
        return PostgresTriggers(self._connection, self._namespace, SYSTEM, tables=tables)

    async def make(self, *tables: TrackedTable[Any]) -> None:
        for step in await self.of(*tables).plan():
            await self.of(*tables).apply(step)


@pytest.fixture
def room(direct: asyncpg.Connection, connection: PostgresConnection, namespace: str) -> Room:
    assert not direct.is_closed()
    return Room(connection, namespace)


async def versions(direct: asyncpg.Connection) -> dict[str, int]:
    rows = await direct.fetch("SELECT id, version FROM orders ORDER BY id")
    return {row["id"]: row["version"] for row in rows}


async def test_a_plan_that_was_applied_is_empty(room: Room) -> None:
    await room.make(orders, audits)

    assert await room.of(orders, audits).plan() == []
    assert await room.of(orders, audits).missing() == []


async def test_a_plan_says_what_each_trigger_is_for(room: Room) -> None:
    steps = await room.of(orders, audits).plan()

    assert [(step.subject, step.action, step.destructive) for step in steps] == [
        ("table orders", "add the trigger that raises the version", False),
        ("table audits", "add the trigger that raises the version", False),
        ("table audits", "add the trigger that refuses UPDATE", False),
        ("table audits", "add the trigger that refuses DELETE", False),
        ("table audits", "add the trigger that refuses TRUNCATE", False),
    ]


async def test_each_step_can_be_done_twice(room: Room) -> None:
    steps = await room.of(orders, audits).plan()

    for step in [*steps, *steps]:
        await room.of(orders, audits).apply(step)

    assert await room.of(orders, audits).plan() == []


async def test_a_table_without_its_trigger_is_missing(
    room: Room, direct: asyncpg.Connection
) -> None:
    await room.make(orders, audits)
    await direct.execute("DROP TRIGGER rightstore_version ON orders")
    await direct.execute("ALTER TABLE audits DISABLE TRIGGER rightstore_no_delete")

    missing = await room.of(orders, audits).missing()
    await room.make(orders, audits)

    assert missing == ["audits", "orders"]
    assert await room.of(orders, audits).missing() == []


async def test_a_promise_that_is_taken_back_is_a_destructive_step(room: Room) -> None:
    await room.make(audits)

    steps = await room.of(track(Audit)).plan()

    assert [step.action for step in steps] == [
        "drop the trigger rightstore_no_delete",
        "drop the trigger rightstore_no_truncate",
        "drop the trigger rightstore_no_update",
    ]
    assert all(step.destructive for step in steps)


async def test_another_retention_replaces_the_trigger(room: Room) -> None:
    await room.make(kept)

    steps = await room.of(replace(kept, retain=Retain("at", timedelta(days=60)))).plan()

    assert [step.action for step in steps] == ["replace the trigger that refuses DELETE"]


async def test_raw_sql_raises_the_version_and_cannot_set_it(
    room: Room, direct: asyncpg.Connection
) -> None:
    await room.make(orders)

    await direct.execute("INSERT INTO orders (id, status, version) VALUES ('a', 'new', 70)")
    await direct.execute("INSERT INTO orders (id, status) VALUES ('b', 'new')")
    await direct.execute("UPDATE orders SET status = 'paid', version = 70 WHERE id = 'a'")
    await direct.execute(
        "INSERT INTO orders (id, status) VALUES ('a', 'x'), ('c', 'x')"
        " ON CONFLICT (id) DO UPDATE SET status = 'sent'"
    )

    assert await versions(direct) == {"a": 3, "b": 1, "c": 1}


async def test_the_orm_reads_the_version_that_the_database_gave(
    room: Room, relational: PostgresRelational
) -> None:
    await room.make(orders)
    async with relational.transaction() as unit:
        order = Order(id="a")
        unit.session.add(order)
        await unit.session.flush()
        first = order.version
        order.status = "paid"
        await unit.session.flush()
        second = order.version

    assert (first, second) == (1, 2)


async def test_the_orm_refuses_to_write_over_what_it_has_not_seen(
    room: Room, relational: PostgresRelational, direct: asyncpg.Connection
) -> None:
    await room.make(orders)
    async with relational.transaction() as unit:
        unit.session.add(Order(id="a"))
    async with relational.reading() as session:
        seen = await session.get_one(Order, "a")
    await direct.execute("UPDATE orders SET status = 'paid'")

    async def write_over() -> None:
        async with relational.transaction() as unit:
            unit.session.add(seen)
            seen.status = "lost"

    with pytest.raises(VersionConflictError):
        await write_over()
    assert await direct.fetchval("SELECT status FROM orders") == "paid"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audits SET reason = 'better'",
        "DELETE FROM audits",
        "TRUNCATE audits",
        "TRUNCATE orders CASCADE",
        "DELETE FROM orders",
        "INSERT INTO audits (id, order_id, reason, at) VALUES (1, 'a', 'x', now())"
        " ON CONFLICT (id) DO UPDATE SET reason = 'better'",
        "UPDATE audits SET at = now() - interval '90 days'",
    ],
)
async def test_an_append_only_table_refuses_every_way_to_change_it(
    room: Room, direct: asyncpg.Connection, relational: PostgresRelational, *, statement: str
) -> None:
    await room.make(orders, kept)
    await direct.execute(
        "INSERT INTO orders (id, status) VALUES ('a', 'new');"
        "INSERT INTO audits (id, order_id, reason, at) VALUES (1, 'a', 'o''k', now())"
    )

    async def change() -> None:
        async with relational.transaction() as unit:
            await unit.session.execute(text(statement))

    with pytest.raises(ConstraintError, match="append_only of the table audits"):
        await change()
    rows = await direct.fetch("SELECT id, reason, version FROM audits")
    assert [tuple(row) for row in rows] == [(1, "o'k", 1)]


async def test_a_parent_without_rows_there_may_go(room: Room, direct: asyncpg.Connection) -> None:
    await room.make(orders, audits)
    await direct.execute("INSERT INTO orders (id, status) VALUES ('a', 'new')")

    await direct.execute("DELETE FROM orders")

    assert await versions(direct) == {}


async def test_what_has_expired_is_removed_and_nothing_else(
    room: Room, direct: asyncpg.Connection, connection: PostgresConnection, namespace: str
) -> None:
    await room.make(orders, kept)
    await direct.execute(
        "INSERT INTO orders (id, status) VALUES ('a', 'new');"
        "INSERT INTO audits (id, order_id, reason, at) VALUES"
        " (1, 'a', 'o''k', now() - interval '31 days'),"
        " (2, 'a', 'o''k', now() - interval '32 days'),"
        " (3, 'a', 'o''k', now() - interval '29 days'), (4, 'a', 'why', now() - interval '90 days')"
    )
    expiry = TableExpiry(connection, namespace)

    removed = [await expiry.remove_expired(kept, 1) for _ in range(3)]

    assert removed == [1, 1, 0]
    left = await direct.fetch("SELECT id FROM audits ORDER BY id")
    assert [row["id"] for row in left] == [3, 4]
