"""What is DynamoDB's own: the shape of items, requests counted, limits, indexes that come later.

It cannot catch how far behind its table an index of AWS is: that of DynamoDB Local is not.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.contract.records_dynamodb import connected, make_room

from rightstore.adapters.dynamodb.client import DynamodbConnection
from rightstore.adapters.dynamodb.schema import DynamodbSchema
from rightstore.adapters.dynamodb.store import DynamodbStore
from rightstore.clock import SYSTEM
from rightstore.errors import ConditionError, ConstraintError, UnsupportedError
from rightstore.ids import new_id
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.model.query import orders
from rightstore.model.record import to_stored
from rightstore.model.wish import Index, Retain
from rightstore.ports.records import Change, Delete, Find, Put
from rightstore.testing.clock import VirtualClock

pytestmark = pytest.mark.servers
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Stock(
    Entity,
    name="inventory",
    key="sku",
    layout={"dynamodb": "PRODUCT#{sku} INVENTORY"},
    retain=Retain("until", timedelta(minutes=1)),
    log=False,
):
    """The stock of a product, as other programs read it too."""

    sku: Field[str]
    quantity: Field[int]
    available: Field[int]
    reserved: Field[int] = field(default=0)
    until: Field[datetime | None] = field(default=None)


class Line(Entity, key=("order", "number"), layout={"dynamodb": "ORDER#{order} LINE#{number}"}):
    """A line of an order, beside the others of its order."""

    order: Field[str]
    number: Field[int]
    text: Field[str] = field(default="")


class Measure(Entity):
    """Numbers beyond what DynamoDB calls one."""

    id: Field[str] = field(default_factory=new_id)
    size: Field[float] = field(default=1.0)
    sum: Field[Decimal] = field(default=Decimal(0))
    map: Field[dict[str, int]] = field(default_factory=dict)


class Plain(Entity, name="Grown"):
    """An entity before it had indexes."""

    id: Field[str] = field(default_factory=new_id)
    place: Field[str] = field(default="")
    rank: Field[int] = field(default=0)


class Grown(Entity, indexes=[Index("place", "-rank")]):
    """The same entity with an index."""

    id: Field[str] = field(default_factory=new_id)
    place: Field[str] = field(default="")
    rank: Field[int] = field(default=0)


STOCK, LINE, MEASURE = map(declaration_of, (Stock, Line, Measure))
PLAIN, GROWN = declaration_of(Plain), declaration_of(Grown)


@pytest.fixture
def store() -> str:
    """What the fixtures around it are asked for."""
    return "dynamodb"


@pytest.fixture
async def connection(url: str) -> AsyncIterator[DynamodbConnection]:
    """A connection."""
    async with connected(url) as made:
        yield made


async def test_an_item_looks_as_its_layout_says(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [STOCK])
    records = DynamodbStore(connection, namespace, VirtualClock(NOON)).records(STOCK)
    stock = Stock(sku="12345", quantity=9, available=7, reserved=2, until=NOON)

    await records.put(Put("12345", to_stored(stock)))
    answer = await connection.client.get_item(
        TableName=f"{namespace}.inventory",
        Key={"PK": {"S": "PRODUCT#12345"}, "SK": {"S": "INVENTORY"}},
    )

    item: Any = answer["Item"]
    shown = {name: item[name] for name in ("quantity", "available", "reserved", "until", "ttl")}
    assert shown == {
        "quantity": {"N": "9"},
        "available": {"N": "7"},
        "reserved": {"N": "2"},
        "until": {"S": "2030-01-01T12:00:00.000Z"},
        "ttl": {"N": str(int(NOON.timestamp()) + 60)},
    }


async def test_the_clock_given_says_what_has_expired(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [STOCK])
    clock = VirtualClock(NOON)
    records = DynamodbStore(connection, namespace, clock).records(STOCK)
    await records.put(Put("a", to_stored(Stock(sku="a", quantity=1, available=1, until=NOON))))

    before = await records.get("a")
    await clock.advance(61)

    assert before is not None
    assert await records.get("a") is None
    assert await records.delete(Delete("a")) == 0


async def test_a_partition_is_found_by_the_first_field_of_its_key(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [LINE])
    store = DynamodbStore(connection, namespace, SYSTEM)
    keys = [f"{order}\x01{text}" for order, text in (("x", "b10"), ("x", "a9"), ("y", "a1"))]
    for key, (order, number) in zip(keys, (("x", 10), ("x", 9), ("y", 1)), strict=True):
        await store.records(LINE).put(Put(key, to_stored(Line(order=order, number=number))))

    found = await store.queries(LINE).find(Find(Line.order == "x", orders(LINE, [])))

    assert [one.data["number"] for one in found] == [9, 10]
    assert [one.key for one in found] == [keys[1], keys[0]]


async def test_each_operation_is_as_few_requests_as_it_can_be(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [GROWN])
    store = DynamodbStore(connection, namespace, SYSTEM)
    records, sent = store.records(GROWN), []
    connection.client.meta.events.register("before-send.dynamodb", lambda **_: sent.append(1))

    async def requests(awaited: Any) -> int:
        sent.clear()
        await awaited
        return len(sent)

    one = Grown(id="one", place="p")
    data = to_stored(one)
    grow = (Grown.rank.set(5),)
    counts = [
        await requests(records.put(Put("one", data))),
        await requests(records.put(Put("one", data, 1))),
        await requests(records.put(Put("one", data, "any"))),
        await requests(records.change(Change("one", grow, Grown.place == "p"))),
        await requests(records.get("one")),
        await requests(records.get_many([str(number) for number in range(100)])),
        await requests(records.delete(Delete("one"))),
        await requests(store.write([(GROWN, Put("a", data)), (GROWN, Put("b", data))])),
        await requests(store.write([(GROWN, Change("a", grow)), (GROWN, Delete("b"))])),
        await requests(store.queries(GROWN).find(Find(Grown.place == "p"))),
        await requests(store.queries(GROWN).count(Grown.place == "p")),
    ]

    # A batch of changes is read first; a find reads the index, then the records.
    assert counts == [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1]


@pytest.mark.parametrize("size", [1.0, 1e300, -5e-324, 0.1])
@pytest.mark.parametrize("sum_", ["1E+6000", "-1E-200", "0.10", "1" * 34])
async def test_numbers_beyond_its_range_come_back(
    connection: DynamodbConnection, namespace: str, size: float, sum_: str
) -> None:
    await make_room(connection, namespace, [MEASURE])
    records = DynamodbStore(connection, namespace, SYSTEM).records(MEASURE)
    one = Measure(size=size, sum=Decimal(sum_), map={"a": 2**63 - 1})
    await records.put(Put(one.id, to_stored(one)))

    same = (Measure.size == size) & (Measure.sum == Decimal(sum_)) & (Measure.sum <= Decimal(sum_))
    changed = await records.change(Change(one.id, (Measure.size.set(2.0),), same))
    with pytest.raises(ConditionError):
        await records.change(Change(one.id, (Measure.size.set(3.0),), same))

    assert (changed.data["size"], changed.data["sum"]) == (2.0, Decimal(sum_))
    assert {type(changed.data["size"]), type(changed.data["sum"])} == {float, Decimal}


async def test_a_sum_that_is_not_exact_any_more_is_refused(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [MEASURE])
    records = DynamodbStore(connection, namespace, SYSTEM).records(MEASURE)
    one = Measure(sum=Decimal("9" * 34))
    await records.put(Put(one.id, to_stored(one)))

    with pytest.raises(ConstraintError):
        await records.change(Change(one.id, (Measure.sum.add(Decimal("0.1")),)))


async def test_what_is_too_much_is_refused_before_it_is_sent(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [PLAIN])
    store = DynamodbStore(connection, namespace, SYSTEM)
    large = Plain(id="large", place="ä" * 210_000)
    half = to_stored(Plain(id="half", place="x" * 300_000))
    await store.records(PLAIN).put(Put("half", half))

    with pytest.raises(ConstraintError, match="409600"):
        await store.records(PLAIN).put(Put("large", to_stored(large)))
    with pytest.raises(ConstraintError, match="409600"):
        await store.records(PLAIN).change(Change("half", (Plain.place.set("x" * 410_000),)))
    with pytest.raises(UnsupportedError, match="101"):
        await store.write([(PLAIN, Put(str(number), half)) for number in range(101)])
    with pytest.raises(UnsupportedError, match="4194304"):
        await store.write([(PLAIN, Put(str(number), half)) for number in range(14)])


async def test_a_hundred_are_written_together_and_more_are_read_in_parts(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [PLAIN])
    store = DynamodbStore(connection, namespace, SYSTEM)
    keys = [f"{number:03}" for number in range(205)]
    large = {key: to_stored(Plain(id=key, place="x" * 9_000)) for key in keys}

    together = await store.write([(PLAIN, Put(key, large[key])) for key in keys[:100]])
    apart = await store.records(PLAIN).put_many([Put(key, large[key]) for key in keys[50:]])
    found = await store.records(PLAIN).get_many(keys)

    assert together == [1] * 100
    assert [type(it).__name__ for it in apart] == ["AlreadyExistsError"] * 50 + ["int"] * 105
    assert [it and it.key for it in found] == keys


async def test_an_index_that_is_declared_later_finds_what_was_there(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [PLAIN])
    store, schema = (
        DynamodbStore(connection, namespace, SYSTEM),
        DynamodbSchema(connection, namespace),
    )
    for rank in range(3):
        one = Plain(id=str(rank), place="p", rank=rank)
        await store.records(PLAIN).put(Put(one.id, to_stored(one)))

    steps = await schema.plan([GROWN])
    for step in [*steps, *steps]:
        await schema.apply(step)
    grown = DynamodbStore(connection, namespace, SYSTEM)
    await grown.records(GROWN).change(Change("1", (Grown.rank.set(9),)))
    what = Find(Grown.place == "p", orders(GROWN, [Grown.rank.desc()]))

    assert len(steps) == 1
    assert [one.key for one in await grown.queries(GROWN).find(what)] == ["1", "2", "0"]
    assert await schema.plan([GROWN]) == []


async def test_what_a_former_program_writes_leaves_no_wrong_entry_in_an_index(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [GROWN])
    former, latter = (DynamodbStore(connection, namespace, SYSTEM) for _ in range(2))
    one = Grown(id="one", place="p")
    await latter.records(GROWN).put(Put("one", to_stored(one)))

    await former.records(PLAIN).change(Change("one", (Plain.place.set("q"),)))

    assert await latter.queries(GROWN).find(Find(Grown.place == "p")) == []


async def test_an_index_that_nothing_declares_any_more_is_dropped(
    connection: DynamodbConnection, namespace: str
) -> None:
    await make_room(connection, namespace, [GROWN])
    schema = DynamodbSchema(connection, namespace)

    steps = await schema.plan([PLAIN])
    for step in steps:
        await schema.apply(step)

    assert [step.phase for step in steps] == ["contract"]
    assert await schema.plan([PLAIN]) == []
