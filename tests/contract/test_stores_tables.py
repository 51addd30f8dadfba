"""Tables of an application that is opened on PostgreSQL: group commit, triggers, limits, upkeep.

It cannot catch what rows and transactions mean by themselves (test_rows, test_relational).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta

import asyncpg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import DateTime, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tests.contract.site import Site

from rightstore.clock import SYSTEM
from rightstore.errors import DeadlineError, NotConfiguredError, UnavailableError, UnsupportedError
from rightstore.ids import new_id
from rightstore.model.entity import Entity
from rightstore.model.event import Event
from rightstore.model.field import Field, field
from rightstore.model.wish import Retain
from rightstore.ports.placement import Placement
from rightstore.repository.transaction import Transaction
from rightstore.stores.ground import ground
from rightstore.table.track import track
from rightstore.table.versioned import Versioned


class Base(DeclarativeBase): ...


class Order(Versioned, Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="new")


class Visit(Versioned, Base):
    __tablename__ = "visits"
    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class View(Entity, retain=Retain("at", timedelta(days=1))):
    at: Field[datetime]
    id: Field[str] = field(default_factory=new_id)


class Invoice(Entity, group="relational"):
    id: Field[str]


class Stock(Entity, key="sku", home="dynamodb"):
    sku: Field[str]


class Paid(Event, name="paid", key="id"):
    id: str


orders = track(Order)
visits = track(Visit, retain=Retain("at", timedelta(days=1)))


@pytest.fixture
def store() -> str:
    """Only PostgreSQL has tables."""
    return "postgres"


@pytest.fixture
async def site(store_urls: Mapping[str, str], namespace: str) -> AsyncIterator[Site]:
    made = Site({"postgres": store_urls["postgres"]}, namespace)
    yield made
    await made.clear()


@pytest.fixture
async def direct(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the application."""
    made = await asyncpg.connect(
        store_urls["postgres"], server_settings={"search_path": f'"{namespace}"'}
    )
    yield made
    await made.close()


async def test_puts_that_wait_together_share_commits(site: Site) -> None:
    async with site.open(orders) as stores:
        rows = stores.of(Order)
        await asyncio.gather(*(rows.put(Order(id=f"o{n}")) for n in range(200)))
        async with stores.sql() as session:
            found = await session.execute(
                text("SELECT count(*), count(DISTINCT xmin::text) FROM orders")
            )
            written, commits = found.one()

    assert written == 200
    assert commits <= 40


async def test_a_table_without_its_trigger_is_refused_with_the_command(
    site: Site, direct: asyncpg.Connection
) -> None:
    async with site.open(orders):
        pass
    await direct.execute("DROP TRIGGER rightstore_version ON orders")

    with pytest.raises(NotConfiguredError, match="`rightstore schema apply") as refusal:
        async with site.open(orders, mode="check"):
            pass

    assert "table orders (add the trigger that raises the version)" in str(refusal.value)
    async with site.open(orders), site.open(orders, mode="check") as stores:
        assert (await stores.of(Order).put(Order(id="o1"))).version == 1


async def test_a_column_that_came_while_another_goes_is_refused_with_the_command(
    site: Site, direct: asyncpg.Connection
) -> None:
    async with site.open(orders):
        pass
    await direct.execute("ALTER TABLE orders RENAME COLUMN status TO state")

    for mode in ("apply", "check"):
        with pytest.raises(NotConfiguredError, match="`rightstore schema apply") as refusal:
            async with site.open(orders, mode=mode):
                pass
        assert "postgres table orders (add the column status VARCHAR NOT NULL" in str(refusal.value)
        assert "state" not in str(refusal.value)


async def test_a_trigger_that_was_switched_off_is_refused_too(
    site: Site, direct: asyncpg.Connection
) -> None:
    async with site.open(orders):
        pass
    await direct.execute("ALTER TABLE orders DISABLE TRIGGER rightstore_version")

    with pytest.raises(NotConfiguredError, match="replace the trigger that raises the version"):
        async with site.open(orders, mode="check"):
            pass


async def test_a_statement_ends_after_the_time_that_is_set(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_STATEMENT_TIMEOUT", "0.2")

    async with site.open(orders) as stores:
        with pytest.raises(DeadlineError):
            async with stores.sql() as session:
                await session.execute(text("SELECT pg_sleep(5)"))
        async with stores.sql() as session:
            assert await session.scalar(text("SHOW statement_timeout")) == "200ms"


async def test_the_status_counts_every_connection(site: Site) -> None:
    async with site.open(orders) as stores:
        before = (await stores.status()).stores["postgres"].connections
        await stores.of(Order).put(Order(id="o1"))
        async with stores.sql() as session:
            await session.execute(text("SELECT 1"))
        after = (await stores.status()).stores["postgres"].connections

    assert before is not None
    assert after == before + 2


async def test_facts_are_refused_with_a_row_and_nothing_is_written(site: Site) -> None:
    async with site.open(orders) as stores:
        with pytest.raises(UnsupportedError, match="emit= is not supported yet"):
            await stores.of(Order).put(Order(id="o1"), emit=Paid(id="o1"))

        assert await stores.of(Order).get("o1") is None


async def test_what_happens_in_sql_is_measured_and_what_does_not_is_not(site: Site) -> None:
    async def bill(order_id: str, tx: Transaction) -> None:
        (await tx.of(Order).get_one(order_id)).status = "billed"
        await tx.of(Invoice).put(Invoice(id=order_id))

    async def fail(_: str, tx: Transaction) -> None:
        await tx.sql.execute(text("UPDATE orders SET status = 'lost'"))
        raise ZeroDivisionError

    async def idle(_: str, tx: Transaction) -> None:
        assert tx is not None

    async with site.open(orders, Invoice) as stores:
        before = counted()
        await stores.of(Order).put(Order(id="o1"))
        await stores.run(bill, "o1")
        with pytest.raises(ZeroDivisionError):
            await stores.run(fail, "o1")
        await stores.run(idle, "o1")
        async with stores.sql() as session:
            await session.execute(text("SELECT 1"))
        after = counted()

    assert {key: value - before.get(key, 0) for key, value in after.items()} == {
        **dict.fromkeys(before, 0),
        ("put_row", "ok"): 1,
        ("transaction", "ok"): 1,
        ("transaction", "not applied"): 1,
        ("put", "ok"): 1,
        ("sql", "ok"): 1,
    }


def counted() -> dict[tuple[str, str], float]:
    return {
        (sample.labels["operation"], sample.labels["outcome"]): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "rightstore_store_operations_total"
        and sample.labels["store"] == "postgres"
    }


async def test_what_has_expired_goes_while_the_application_is_open_with_work(
    site: Site, direct: asyncpg.Connection
) -> None:
    old = SYSTEM.now() - timedelta(days=2)
    async with site.open(View, visits) as stores:
        await stores.of(View).put(View(at=old))
        await stores.of(View).put(View(at=SYSTEM.now()))
        await stores.of(Visit).put(Visit(id="v1", at=old))
    tasks = asyncio.all_tasks()

    async with site.open(View, visits, work=True), asyncio.timeout(10):
        while (
            await direct.fetchval('SELECT (SELECT count(*) FROM "View") + count(*) FROM visits') > 1
        ):
            await SYSTEM.sleep(0.01)

    assert await direct.fetchval('SELECT count(*) FROM "View"') == 1
    assert asyncio.all_tasks() == tasks


async def test_an_error_of_the_block_comes_through_the_upkeep(site: Site) -> None:
    with pytest.raises(ZeroDivisionError):
        async with site.open(View, work=True):
            raise ZeroDivisionError


async def test_another_process_that_placed_an_entity_elsewhere_is_named(site: Site) -> None:
    async with site.open(Invoice):
        pass
    app = site.application(Stock)

    async with ground(app.name, app.declarations, site.settings(), SYSTEM) as found:
        assert found.placements is not None
        await found.placements.record([Placement("Stock", "dynamodb", "dynamodb")])

        with pytest.raises(UnavailableError, match=r"placed Stock in dynamodb.*open it again"):
            await found.settled()
    with pytest.raises(NotConfiguredError, match="DYNAMODB_URL is not set"):
        async with site.open(Stock):
            pass
