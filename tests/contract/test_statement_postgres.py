"""How PostgreSQL is asked: one statement an operation, by declared indexes, no value in a text."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.contract.records_postgres import connected, room

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.query import find
from rightstore.adapters.postgres.schema import PostgresSchema
from rightstore.adapters.postgres.store import PostgresStore
from rightstore.adapters.postgres.table import Table
from rightstore.clock import SYSTEM
from rightstore.errors import ConstraintError, RejectedError, UsageError
from rightstore.ids import new_id
from rightstore.model.declaration import Declaration, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.model.measure import count
from rightstore.model.order import Order
from rightstore.model.query import orders
from rightstore.model.record import to_stored
from rightstore.model.wish import Index
from rightstore.ports.capability import CAPABILITIES
from rightstore.ports.records import Change, Delete, Find, Put, Seen
from rightstore.testing.contract.sample import (
    ACCOUNT,
    SAMPLE,
    VISIT,
    Account,
    Sample,
    Visit,
    new,
    samples,
)


class Note(
    Entity,
    indexes=[
        Index("author", "-made_at"),
        Index("price"),
        Index("tags"),
        Index("text", text=True),
        Index("free.kind"),
        Index("rank", where={"is_open": True}),
    ],
):
    id: Field[str] = field(default_factory=new_id)
    author: Field[str] = field(default="")
    made_at: Field[datetime | None] = field(default=None)
    price: Field[float] = field(default=0.0)
    rank: Field[int] = field(default=0)
    is_open: Field[bool] = field(default=False)
    tags: Field[list[str]] = field(default_factory=list)
    text: Field[str] = field(default="")
    free: Field[dict[str, Any]] = field(default_factory=dict)


NOTE: Declaration = declaration_of(Note)
FREE: Any = Note.free


@pytest.fixture
def store() -> str:
    """The store that these tests are about."""
    return "postgres"


@asynccontextmanager
async def counted(connection: PostgresConnection) -> AsyncIterator[list[str]]:
    """Note the statements that the one connection of the pool sends."""
    texts: list[str] = []
    async with connection.session() as session:
        session.add_query_logger(lambda record: texts.append(record.query))
    yield texts


@pytest.fixture
async def connection(store_urls: Mapping[str, str]) -> AsyncIterator[PostgresConnection]:
    async with connected(store_urls["postgres"]) as connection:
        yield connection


async def test_each_operation_is_one_statement(connection: PostgresConnection) -> None:
    async with room(connection, samples(CAPABILITIES)) as name, counted(connection) as texts:
        made = PostgresStore(connection, name, SYSTEM)
        records, queries = made.records(SAMPLE), made.queries(SAMPLE)
        one, two, three = Sample(), Sample(), Sample()
        grow = (Sample.in_stock.add(1),)
        operations: dict[str, Callable[[], Awaitable[object]]] = {
            "put": lambda: records.put(new(one)),
            "put over": lambda: records.put(Put(one.id, to_stored(one), 1)),
            "put_many": lambda: records.put_many([new(two), new(Sample()), new(Sample())]),
            "get": lambda: records.get(one.id),
            "get_many": lambda: records.get_many([one.id, two.id]),
            "change": lambda: records.change(Change(one.id, grow, Sample.in_stock == 0)),
            "or_create": lambda: records.change(Change(three.id, grow, or_create=to_stored(three))),
            "find": lambda: queries.find(Find(Sample.room == "", (), 2)),
            "count": lambda: queries.count(Sample.rank == 1),
            "select": lambda: queries.select(Find(), [Sample.room, count()]),
            "write": lambda: made.write(
                [
                    (SAMPLE, Change(one.id, grow)),
                    (SAMPLE, Delete(three.id)),
                    (SAMPLE, Seen(two.id, 1)),
                    (SAMPLE, new(Sample())),
                ]
            ),
            "delete": lambda: records.delete(Delete(one.id)),
        }
        sent = {}

        for word, operation in operations.items():
            texts.clear()
            await operation()
            sent[word] = len(texts)

    assert sent == dict.fromkeys(operations, 1)


ASKS: list[tuple[Any, tuple[Order, ...]]] = [
    (Note.author == "a", ()),
    (Note.author == "a", (Note.made_at.desc(),)),
    ((Note.author == "a") & (Note.made_at > datetime(2026, 1, 1, tzinfo=UTC)), ()),
    (Note.author.starts_with("ab"), ()),
    (Note.author.one_of(["a", "b"]), ()),
    (Note.price < 3.0, ()),
    (Note.tags.has("x"), ()),
    (Note.text.matches("two words"), ()),
    (FREE["kind"] == "k", ()),
    (FREE["kind"] > 3, ()),
    (Note.is_open & (Note.rank >= 3), ()),
    (Note.id == "a", ()),
]


@pytest.mark.parametrize(
    ("where", "order"), ASKS, ids=[f"{ask} {len(order)}" for ask, order in ASKS]
)
async def test_a_find_uses_the_declared_index(
    connection: PostgresConnection, where: Any, order: tuple[Order, ...]
) -> None:
    condition = where if not hasattr(where, "holds") else where.holds()
    async with room(connection, [NOTE]) as name, connection.session() as session:
        what = Find(condition, orders(NOTE, order) if order else (), 10)
        text = find(Table(NOTE, name), what)
        async with session.transaction():
            await session.execute("SET LOCAL enable_seqscan = off")
            await session.execute("SET LOCAL enable_sort = off")
            await session.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            plan = await session.fetch(f"EXPLAIN {text.text}", *text.values)

    shown = "\n".join(row[0] for row in plan)
    assert "Index Cond" in shown
    assert "Seq Scan" not in shown
    assert "Sort" not in shown


async def test_no_value_of_a_caller_is_in_a_text() -> None:
    canary = "canary'; --"
    where = (
        (Note.author == canary)
        & (FREE[canary] == canary)
        & Note.author.starts_with(canary)
        & Note.tags.has(canary)
        & Note.text.matches(canary)
        & Note.author.one_of([canary])
    )

    statement = find(Table(NOTE, "n"), Find(where, orders(NOTE, []), 1, (canary,)))

    assert "canary" not in statement.text


async def test_a_schema_that_was_applied_needs_nothing(connection: PostgresConnection) -> None:
    async with room(connection, [NOTE, *samples(CAPABILITIES)]) as name:
        schema = PostgresSchema(connection, name)
        assert await schema.plan([NOTE, *samples(CAPABILITIES)]) == []

        fewer = await schema.plan([SAMPLE])
        for step in fewer:
            await schema.apply(step)
            await schema.apply(step)

        assert {step.destructive for step in fewer} == {True}
        assert await schema.plan([SAMPLE]) == []


async def test_an_index_that_was_left_half_built_is_built_anew(
    connection: PostgresConnection,
) -> None:
    async with room(connection, [ACCOUNT]) as name:
        made, schema = PostgresStore(connection, name, SYSTEM), PostgresSchema(connection, name)
        async with connection.session() as session:
            await session.execute(f"DROP INDEX {await a_unique_index(session, name)}")
        one, two = Account(email="same"), Account(email="same")
        await made.records(ACCOUNT).put_many([new(one), new(two)])
        [step] = await schema.plan([ACCOUNT])
        with pytest.raises(ConstraintError):
            await schema.apply(step)
        await made.records(ACCOUNT).delete(Delete(two.id))

        [again] = await schema.plan([ACCOUNT])
        await schema.apply(again)
        await schema.apply(again)

        assert "anew" in again.action
        assert await schema.plan([ACCOUNT]) == []
        with pytest.raises(ConstraintError):
            await made.records(ACCOUNT).put(new(two))


async def a_unique_index(session: Any, name: str) -> str:
    found: str = await session.fetchval(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique AND NOT indisprimary "
        "AND indexrelid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace($1)) "
        "AND indnkeyatts = 1",
        name,
    )
    return found


async def test_what_has_expired_is_removed_and_no_more(connection: PostgresConnection) -> None:
    async with room(connection, [VISIT]) as name:
        made = PostgresStore(connection, name, SYSTEM)
        long_ago = SYSTEM.now() - timedelta(hours=2)
        visits = made.records(VISIT)
        await visits.put_many([new(Visit(at=long_ago)) for _ in range(5)])
        young = Visit(at=SYSTEM.now())
        await visits.put(new(young))

        removed = [await made.remove_expired(VISIT, 2) for _ in range(4)]

        assert removed == [2, 2, 1, 0]
        assert await visits.get(young.id) is not None
        with pytest.raises(UsageError):
            await made.remove_expired(SAMPLE, 2)


async def test_without_its_table_an_entity_is_refused_with_the_remedy(
    connection: PostgresConnection,
) -> None:
    made = PostgresStore(connection, "nowhere", SYSTEM)

    with pytest.raises(RejectedError, match="schema apply") as caught:
        await made.records(SAMPLE).put(new(Sample()))

    assert caught.value.outcome == "not applied"


async def test_only_what_the_server_itself_brings_is_found_by_a_bare_name(
    connection: PostgresConnection,
) -> None:
    async with connection.session() as session:
        schemas = await session.fetchval("SELECT current_schemas(true)::text[]")

    assert schemas == ["pg_catalog"]


async def test_what_an_application_does_to_a_connection_of_the_pool_is_taken_back(
    connection: PostgresConnection,
) -> None:
    timeout = "SELECT current_setting('statement_timeout')"
    async with connection.session() as session:
        before = await session.fetchval(timeout)

    async with connection.pool.acquire() as borrowed:
        await borrowed.execute("SET statement_timeout = 0; SELECT pg_advisory_lock(70417041)")

    async with connection.session() as session:
        locks = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert (await session.fetchval(timeout), await session.fetchval(locks)) == (before, 0)
