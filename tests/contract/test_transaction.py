"""Transactions over tables: rows by key, through the session of PostgreSQL.

It cannot catch what the session itself promises (test_relational).
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore.adapters.memory.records import MemoryStore
from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.relational import PostgresRelational
from rightstore.clock import SYSTEM
from rightstore.errors import (
    AlreadyExistsError,
    NotFoundError,
    StateError,
    UnsupportedError,
    UsageError,
    VersionConflictError,
)
from rightstore.model.declaration import Declaration
from rightstore.ports.connection import Target
from rightstore.ports.records import RecordStore
from rightstore.ports.relational import Relational
from rightstore.repository.run import run
from rightstore.repository.transaction import Transaction, transaction
from rightstore.testing.contract.sample import Sample


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)


class Line(Base):
    __tablename__ = "lines"
    order: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


class Both:
    """Implements `Places`: tables in PostgreSQL, entities in memory."""

    def __init__(self, relational: Relational) -> None:
        self._relational, self._store = relational, MemoryStore(SYSTEM)

    def store_of(self, _: Declaration) -> RecordStore:
        return self._store

    def name_of(self, _: Declaration) -> str:
        return "memory"

    def relational(self) -> Relational | None:
        return self._relational

    def control(self) -> RecordStore:
        return self._store


@pytest.fixture
def store() -> str:
    """Only PostgreSQL has tables."""
    return "postgres"


@pytest.fixture
async def places(store_urls: Mapping[str, str], namespace: str) -> AsyncIterator[Both]:
    direct = await asyncpg.connect(store_urls["postgres"])
    await direct.execute(
        f'CREATE SCHEMA "{namespace}";'
        f'CREATE TABLE "{namespace}".orders (id text PRIMARY KEY, status text, version bigint);'
        f'CREATE TABLE "{namespace}".lines '
        '("order" text, number int, PRIMARY KEY ("order", number))'
    )
    connection = postgres(Target("postgres", store_urls["postgres"], pool_max=3), SYSTEM)
    relational: Any = PostgresRelational(connection, namespace, SYSTEM)
    yield Both(relational)
    await relational.close()
    await direct.execute(f'DROP SCHEMA "{namespace}" CASCADE')
    await direct.close()


async def status_of(places: Both, key: str) -> str | None:
    async with transaction(places) as tx:
        found = await tx.of(Order).get(key)
    return found.status if found else None


async def test_rows_are_put_changed_read_and_deleted_by_key(places: Both) -> None:
    async with transaction(places) as tx:
        await tx.of(Order).put(Order(id="a", status="new"))
        await tx.of(Line).put(Line(order="a", number=1))
    async with transaction(places) as tx:
        (await tx.of(Order).get_one("a")).status = "paid"
        line = await tx.of(Line).get_one(("a", 1))
        by_sql = await tx.sql.scalar(select(Order.status))
    async with transaction(places) as tx:
        answers = [await tx.of(Line).delete(("a", 1)), await tx.of(Line).delete(("a", 2))]

    assert (line.number, by_sql, answers) == (1, "paid", [True, False])
    assert await status_of(places, "a") == "paid"


async def test_a_row_that_must_be_there_and_is_not_is_an_error(places: Both) -> None:
    async with transaction(places) as tx:
        with pytest.raises(NotFoundError, match="Order: no record with this key"):
            await tx.of(Order).get_one("secret")


async def test_what_is_no_business_of_rows_is_refused(places: Both) -> None:
    line: object = Line(order="a", number=1)

    async with transaction(places) as tx:
        with pytest.raises(UsageError, match="put takes a Order, not Line"):
            await tx.of(Order).put(line)  # type: ignore[arg-type]  # that is what is tested
        with pytest.raises(UnsupportedError, match="Order is a table"):
            await tx.of(Order).change("a")
        with pytest.raises(UnsupportedError, match="Versioned"):
            await tx.of(Line).put(Line(order="a", number=1), expect=1)
        with pytest.raises(UnsupportedError, match="Versioned"):
            await tx.of(Order).put(Order(id="a", status="new"), expect="any")
        with pytest.raises(UsageError, match="began in relational, and Sample is in samples"):
            tx.of(Sample)


async def test_a_version_of_a_row_that_was_brought_along_is_not_tried_again(places: Both) -> None:
    runs = 0

    async def cancel(version: int, tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        order = await tx.of(Order).get_one("a")
        order.status = "cancelled"
        await tx.of(Order).put(order, expect=version)

    async with transaction(places) as tx:
        await tx.of(Order).put(Order(id="a", status="new", version=3))

    with pytest.raises(VersionConflictError):
        await run(places, cancel, 2)
    await run(places, cancel, 3)

    assert runs == 2
    assert await status_of(places, "a") == "cancelled"


async def test_a_function_over_tables_runs_again_when_another_was_faster(places: Both) -> None:
    runs = 0
    async with transaction(places) as tx:
        await tx.of(Order).put(Order(id="a", status=""))

    async def append(letter: str, tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        order = await tx.of(Order).get_one("a")
        if runs == 1:
            await run(places, append, "x")
        order.status += letter

    await run(places, append, "y")

    assert (await status_of(places, "a"), runs) == ("xy", 3)


async def test_nothing_of_a_function_that_failed_is_kept(places: Both) -> None:
    async def fail(_: None, tx: Transaction) -> None:
        await tx.of(Order).put(Order(id="a", status="new"))
        raise StateError("no")

    with pytest.raises(StateError):
        await run(places, fail, None)

    assert await status_of(places, "a") is None


async def test_entities_of_another_store_are_written_without_a_word_to_postgresql(
    places: Both,
) -> None:
    async def create(key: str, tx: Transaction) -> Sample:
        return await tx.of(Sample).put(Sample(id=key))

    made = await run(places, create, "a", once="k")

    assert await run(places, create, "a", once="k") == made
    with pytest.raises(AlreadyExistsError):
        await run(places, create, "a")


async def test_rows_cannot_be_reached_after_the_end(places: Both) -> None:
    async with transaction(places) as tx:
        orders = tx.of(Order)

    with pytest.raises(UsageError, match="has ended"):
        await orders.get("a")
    with pytest.raises(UsageError, match="has ended"):
        await orders.put(Order(id="a", status="new"))
    with pytest.raises(UsageError, match="has ended"):
        await orders.delete("a")
