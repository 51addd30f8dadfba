"""Records of entities inside a transaction over tables: both are written, or neither is.

What records do by themselves is in test_records_suite.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy import JSON, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.relational import PostgresRelational
from rightstore.adapters.postgres.schema import PostgresSchema
from rightstore.adapters.postgres.store import PostgresStore
from rightstore.clock import SYSTEM
from rightstore.errors import AlreadyExistsError, UsageError, VersionConflictError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.ports.connection import Target
from rightstore.ports.records import Put


class Stock(Entity, name="stock", key="sku"):
    sku: Field[str]
    left: Field[int]


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    lines: Mapped[dict[str, int]] = mapped_column(JSON)


STOCK = declaration_of(Stock)


@pytest.fixture
def store() -> str:
    """Only PostgreSQL has tables."""
    return "postgres"


@pytest.fixture
async def connection(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[PostgresConnection]:
    made = postgres(Target("postgres", store_urls["postgres"]), SYSTEM)
    await made.open()
    schema = PostgresSchema(made, namespace)
    for step in await schema.plan([STOCK]):
        await schema.apply(step)
    async with made.session() as session:
        await session.execute(
            f'CREATE TABLE "{namespace}".orders (id text PRIMARY KEY, lines json NOT NULL)'
        )
    yield made
    async with made.session() as session:
        await session.execute(f'DROP SCHEMA "{namespace}" CASCADE')
    await made.close()


@pytest.fixture
async def relational(
    connection: PostgresConnection, namespace: str
) -> AsyncIterator[PostgresRelational]:
    made = PostgresRelational(connection, namespace, SYSTEM)
    yield made
    await made.close()


@pytest.fixture
def outside(connection: PostgresConnection, namespace: str) -> PostgresStore:
    """The same records, in transactions of their own."""
    return PostgresStore(connection, namespace, SYSTEM)


def put(left: int, expect: int = 0) -> Put:
    return Put("a", {"sku": "a", "left": left}, expect=expect)


async def test_rows_and_records_are_committed_together(
    relational: PostgresRelational, outside: PostgresStore
) -> None:
    async with relational.transaction() as unit:
        unit.session.add(Order(id="1", lines={"a": 2}))
        version = await unit.records(STOCK).put(put(5))
        inside = await unit.records(STOCK).get("a")
        before = await outside.records(STOCK).get("a")
    after = await outside.records(STOCK).get("a")

    assert version == 1
    assert before is None
    assert inside is not None
    assert after is not None
    assert inside.data == after.data == {"sku": "a", "left": 5}
    async with relational.reading() as session:
        assert (await session.get_one(Order, "1")).lines == {"a": 2}


async def test_records_first_begin_the_transaction(
    relational: PostgresRelational, outside: PostgresStore
) -> None:
    async def fail() -> None:
        async with relational.transaction() as unit:
            await unit.records(STOCK).put(put(5))
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await outside.records(STOCK).get("a") is None
    async with relational.transaction() as unit:
        await unit.records(STOCK).put(put(6))
    assert await outside.records(STOCK).get("a") is not None


async def test_what_waits_in_the_session_is_sent_before_records_are_touched(
    relational: PostgresRelational,
) -> None:
    async with relational.transaction() as unit:
        unit.session.add(Order(id="1", lines={}))
        await unit.records(STOCK).get("a")
        connection = await unit.session.connection()
        count = await connection.scalar(text("SELECT count(*) FROM orders"))

    assert count == 1


async def test_a_refusal_of_a_record_leaves_the_transaction_usable(
    relational: PostgresRelational, outside: PostgresStore
) -> None:
    await outside.records(STOCK).put(put(5))

    async with relational.transaction() as unit:
        with pytest.raises(AlreadyExistsError):
            await unit.records(STOCK).put(put(6))
        with pytest.raises(VersionConflictError):
            await unit.records(STOCK).put(put(6, expect=7))
        unit.session.add(Order(id="1", lines={}))
        await unit.records(STOCK).put(put(6, expect=1))

    found = await outside.records(STOCK).get("a")
    assert found is not None
    assert (found.version, found.data["left"]) == (2, 6)


async def test_a_record_that_moved_on_meanwhile_is_a_version_conflict(
    relational: PostgresRelational, outside: PostgresStore
) -> None:
    await outside.records(STOCK).put(put(5))

    async def be_overtaken() -> None:
        async with relational.transaction() as unit:
            await unit.records(STOCK).get("a")
            await outside.records(STOCK).put(put(4, expect=1))
            await unit.records(STOCK).put(put(3, expect=1))

    with pytest.raises(VersionConflictError):
        await be_overtaken()
    found = await outside.records(STOCK).get("a")
    assert found is not None
    assert found.data["left"] == 4


async def test_reading_refuses_a_statement_that_writes_records(
    relational: PostgresRelational,
) -> None:
    async def write() -> None:
        async with relational.reading() as session:
            await session.execute(text("DELETE FROM stock"))

    with pytest.raises(UsageError, match="only reads"):
        await write()


async def test_records_may_be_asked_for_at_the_same_time(relational: PostgresRelational) -> None:
    async with relational.transaction() as unit:
        await unit.records(STOCK).put(put(5))

        found = await asyncio.gather(*(unit.records(STOCK).get(key) for key in "abca"))

    assert [each is not None for each in found] == [True, False, False, True]
