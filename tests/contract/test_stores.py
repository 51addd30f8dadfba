"""An application, opened on real servers: where its entities live, what is refused, what closes.

It cannot catch what two machines that start at once do to each other; test_placement does.
"""

import sys
from collections.abc import AsyncIterator, Mapping

import pytest
from psutil import Process
from pymongo import AsyncMongoClient
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tests.contract.site import Site

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.probe import probe
from rightstore.clock import SYSTEM
from rightstore.errors import (
    ConditionError,
    NotConfiguredError,
    UnavailableError,
    UnsupportedError,
    UsageError,
    VersionConflictError,
)
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.model.wish import Index
from rightstore.ports.connection import Target
from rightstore.ports.placement import Placement
from rightstore.repository.transaction import Transaction
from rightstore.stores.definition import Rightstore
from rightstore.stores.engine import engines
from rightstore.table.track import track
from rightstore.table.versioned import Versioned


class Product(Entity, key="sku", home="mongodb"):
    sku: Field[str]
    sold: Field[int] = field(default=0)


class Stock(Entity, key="sku", home="dynamodb"):
    sku: Field[str]
    left: Field[int] = field(default=0)


class Invoice(Entity, group="relational"):
    id: Field[str]
    total: Field[int]


class Seat(Entity, home="mongodb", group="theatre"):
    id: Field[str]
    free: Field[int]


class Ticket(Entity, home="mongodb", group="theatre"):
    id: Field[str]
    seat: Field[str]


class Texts(Entity, home="mongodb", indexes=[Index("words", text=True)]):
    id: Field[str]
    words: Field[str]


class Base(DeclarativeBase): ...


class Order(Versioned, Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="new")


orders = track(Order)


@pytest.fixture
def store() -> str:
    """Several stores at once; the name keeps PyMongo's forgotten sockets out of other tests."""
    return "mongodb"


@pytest.fixture
async def site(store_urls: Mapping[str, str], namespace: str) -> AsyncIterator[Site]:
    made = Site(store_urls, namespace)
    yield made
    await made.clear()


async def test_mongodb_an_entity_lives_at_home_and_is_found_there(site: Site) -> None:
    async with site.open(Product) as stores:
        await stores.of(Product).put(Product(sku="a", sold=3))
        client = stores.native(AsyncMongoClient, why="to see what is there")
        found = await client[site.namespace]["Product"].find_one({"_id": "a"})
        status = await stores.status()

    assert found is not None
    assert found["sold"] == 3
    assert sorted(status.stores) == ["mongodb", "postgres"]
    assert all(each.ok for each in status.stores.values())
    assert status.placements == (Placement("Product", "mongodb", "mongodb"),)


async def test_an_unconfigured_home_falls_back_and_stays_there(site: Site) -> None:
    async with site.open(Stock) as stores:
        await stores.of(Stock).put(Stock(sku="a", left=5))

    dynamodb = "http://key:secret@127.0.0.1:1?region=eu-west-1"
    async with site.open(Stock, dynamodb=dynamodb) as stores:
        read = await stores.of(Stock).read("a")

    assert read is not None
    assert (read.value.left, read.source) == (5, "postgres")


async def test_mongodb_an_entity_whose_store_is_gone_from_the_settings_is_refused(
    site: Site,
) -> None:
    async with site.open(Product):
        pass

    with pytest.raises(NotConfiguredError, match="Product lives in mongodb, but MONGODB_URL"):
        async with site.open(Product, mongodb=None):
            pass


async def test_without_its_room_it_is_refused_with_the_command(site: Site) -> None:
    with pytest.raises(NotConfiguredError, match="`rightstore schema apply") as refusal:
        async with site.open(Product, mode="check", mongodb=None):
            pass

    assert "table Product" in str(refusal.value)
    async with site.open(Product, mongodb=None):
        pass
    async with site.open(Product, mode="check", mongodb=None) as stores:
        assert await stores.of(Product).get("a") is None


async def test_mongodb_what_it_cannot_hold_is_refused_with_reason_and_remedy(site: Site) -> None:
    with pytest.raises(UnsupportedError, match=r"Texts in mongodb: Index\(words\): .*text=True"):
        async with site.open(Texts):
            pass


async def test_mongodb_a_store_that_is_down_closes_the_others(site: Site) -> None:
    before = len(Process().net_connections("all"))

    with pytest.raises(UnavailableError, match="mongodb"):
        async with site.open(Product, mongodb="mongodb://127.0.0.1:1/"):
            pass

    assert len(Process().net_connections("all")) == before


async def test_mongodb_a_group_is_written_together_and_a_key_counts_once(site: Site) -> None:
    async def book(ticket: Ticket, tx: Transaction) -> str:
        await tx.of(Seat).change(ticket.seat, Seat.free.add(-1), when=Seat.free >= 1)
        await tx.of(Ticket).put(ticket)
        return ticket.seat

    async with site.open(Seat, Ticket) as stores:
        await stores.of(Seat).put(Seat(id="a1", free=1))
        first = await stores.run(book, Ticket(id="t1", seat="a1"), once="t1")
        again = await stores.run(book, Ticket(id="t1", seat="a1"), once="t1")
        with pytest.raises(ConditionError):
            await stores.run(book, Ticket(id="t2", seat="a1"), once="t2")
        seat, count = await stores.of(Seat).get_one("a1"), await stores.of(Ticket).find().count()

    assert (first, again) == ("a1", "a1")
    assert (seat.free, count) == (0, 1)


async def test_tables_and_records_of_their_group_are_written_together(site: Site) -> None:
    async def bill(order_id: str, tx: Transaction) -> None:
        order = await tx.of(Order).get_one(order_id)
        order.status = "billed"
        await tx.of(Invoice).put(Invoice(id=order_id, total=7))

    async with site.open(orders, Invoice) as stores:
        await stores.of(Order).put(Order(id="o1"))
        await stores.run(bill, "o1", once="o1")
        await stores.run(bill, "o1", once="o1")
        order = await stores.of(Order).get_one("o1")
        async with stores.sql() as session:
            statuses = (await session.scalars(text("SELECT status FROM orders"))).all()
        invoice = await stores.of(Invoice).get("o1")

    assert (order.status, order.version) == ("billed", 2)
    assert statuses == ["billed"]
    assert invoice == Invoice(id="o1", total=7)


async def test_a_row_is_guarded_by_its_version(site: Site) -> None:
    async with site.open(orders) as stores:
        await stores.of(Order).put(Order(id="o1"))
        mine, yours = await stores.of(Order).get_one("o1"), await stores.of(Order).get_one("o1")
        mine.status, yours.status = "paid", "gone"

        await stores.of(Order).put(mine)
        with pytest.raises(VersionConflictError):
            await stores.of(Order).put(yours)

        assert (await stores.of(Order).get_one("o1")).status == "paid"
        assert await stores.of(Order).delete("o1")


async def test_a_table_that_is_not_tracked_has_no_records(site: Site) -> None:
    class Loose(Base):
        __tablename__ = "loose"
        id: Mapped[str] = mapped_column(primary_key=True)

    async with site.open(Invoice) as stores:
        with pytest.raises(UsageError, match=r"declare track\(Loose\)"):
            stores.of(Loose)


async def test_mongodb_another_store_on_an_engine_can_do_what_its_server_can(
    store_urls: Mapping[str, str], namespace: str
) -> None:
    target = Target("mongodb", store_urls["mongodb"])

    async with engines([target], namespace, SYSTEM) as opened:
        engine = opened["mongodb"]
        assert isinstance(engine.connection, MongodbConnection)
        found = await probe(engine.connection)

        assert engine.again().capabilities == engine.records.capabilities == found


async def test_the_definition_itself_does_no_io(site: Site) -> None:
    app = Rightstore(site.namespace, sys.modules[__name__])

    assert app.tables == (orders,)
