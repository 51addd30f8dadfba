"""Records in MongoDB beyond the contract: commands are counted, documents look as documented."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pymongo import monitoring
from pymongo.monitoring import CommandListener, CommandStartedEvent
from tests.contract.records_mongodb import CAN, connected, room

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.portability import CAPABILITIES, obstacles
from rightstore.adapters.mongodb.probe import probe
from rightstore.adapters.mongodb.schema import MongodbSchema
from rightstore.adapters.mongodb.store import MongodbStore
from rightstore.clock import SYSTEM
from rightstore.errors import ConditionError, ConstraintError, RightstoreError
from rightstore.ids import new_id
from rightstore.model.condition import Condition
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.evaluate import satisfies
from rightstore.model.field import Field, field
from rightstore.model.key import encode_key
from rightstore.model.measure import count
from rightstore.model.record import from_stored, to_stored
from rightstore.model.wish import Index, Retain
from rightstore.ports.records import Change, Delete, Find, Put
from rightstore.testing.clock import VirtualClock
from rightstore.testing.contract.check import Check
from rightstore.testing.contract.sample import (
    ACCOUNT,
    SAMPLE,
    VISIT,
    Sample,
    Side,
    Visit,
    fill,
    new,
    samples,
    sorted_by,
)
from rightstore.testing.contract.suite import CHECKS

pytestmark = pytest.mark.embedded
FREE: Any = Sample.free
GROW = (Sample.in_stock.add(1),)
UNIQUE = {check.name: check for check in CHECKS if "unique" in check.needs}


class Typed(Entity, key=("place", "number"), indexes=[Index("day"), Index("number", "-at")]):
    """An entity with a key of two fields and a value of each type."""

    place: Field[str]
    number: Field[int]
    day: Field[date] = field(default=date(2026, 1, 2))
    at: Field[datetime] = field(default=datetime(2026, 1, 2, 3, 4, 5, 6000, UTC))
    who: Field[UUID] = field(default=UUID(int=7))
    ratio: Field[float] = field(default=1.0)
    price: Field[Decimal] = field(default=Decimal("1.10"))
    days: Field[list[date]] = field(default_factory=list)
    named: Field[dict[str, date]] = field(default_factory=dict)
    any: Field[Any] = field(default=None)


TYPED = declaration_of(Typed)


class Commands(CommandListener):
    """Keeps the names of the commands that were sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, _: object) -> None:
        """Of no interest."""

    def failed(self, _: object) -> None:
        """Of no interest."""


@pytest.fixture
async def connection(store_urls: Mapping[str, str]) -> AsyncIterator[MongodbConnection]:
    """A connection to the server."""
    async with connected(store_urls["mongodb"]) as opened:
        yield opened


@pytest.fixture
async def name(connection: MongodbConnection) -> AsyncIterator[str]:
    """A database with room for the samples, those with a unique index too."""
    async with room(connection, [*samples(CAN), ACCOUNT, TYPED]) as name:
        yield name


@pytest.fixture
def store(connection: MongodbConnection, name: str) -> MongodbStore:
    """A store in that database."""
    return MongodbStore(connection, name, SYSTEM)


@pytest.fixture
async def commands(store_urls: Mapping[str, str], name: str) -> AsyncIterator[tuple[Any, Commands]]:
    """A store whose commands are noted. The driver asks for listeners before the client is made."""
    noted = Commands()
    monitoring.register(noted)
    async with connected(store_urls["mongodb"]) as opened:
        store = MongodbStore(opened, name, SYSTEM)
        await store.records(SAMPLE).get("a")
        yield store, noted


async def test_each_operation_is_one_command(commands: tuple[MongodbStore, Commands]) -> None:
    store, noted = commands
    records, queries = store.records(SAMPLE), store.queries(SAMPLE)
    record, other = Sample(), Sample()
    puts = [new(Sample()) for _ in range(200)]
    what = Find(Sample.in_stock >= 0, sorted_by())
    operations: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
        ("insert", lambda: records.put(new(record))),
        ("insert", lambda: store.write([(SAMPLE, new(other))])),
        ("find", lambda: records.get(record.id)),
        ("findAndModify", lambda: records.put(Put(record.id, to_stored(record), 1))),
        ("findAndModify", lambda: records.put(Put(record.id, to_stored(record), "any"))),
        ("findAndModify", lambda: records.change(Change(record.id, GROW, Sample.in_stock == 0))),
        (
            "findAndModify",
            lambda: records.change(Change(record.id, GROW, or_create=to_stored(record))),
        ),
        ("insert", lambda: records.put_many(puts)),
        ("update", lambda: records.put_many([Put(put.key, put.data, 1) for put in puts])),
        ("find", lambda: records.get_many([put.key for put in puts])),
        ("find", lambda: queries.find(what)),
        ("aggregate", lambda: queries.count(Sample.in_stock > 0)),
        ("aggregate", lambda: queries.select(what, [Sample.room, count()])),
        ("find", lambda: queries.select(what, [Sample.room])),
        ("findAndModify", lambda: records.delete(Delete(record.id))),
    ]

    sent = []
    for _, operation in operations:
        noted.names.clear()
        await operation()
        sent.append("+".join(noted.names))

    assert sent == [command for command, _ in operations]


async def test_refusals_of_what_is_there_are_one_command_too(
    commands: tuple[MongodbStore, Commands],
) -> None:
    store, noted = commands
    records = store.records(SAMPLE)
    record = Sample()
    await records.put(new(record))
    refused: list[Callable[[], Awaitable[Any]]] = [
        lambda: records.put(Put(record.id, to_stored(record), 7)),
        lambda: records.change(Change(record.id, GROW, Sample.in_stock > 5)),
        lambda: records.change(Change(new_id(), GROW)),
        lambda: records.delete(Delete(record.id, 7)),
    ]

    for operation in refused:
        noted.names.clear()
        with pytest.raises(RightstoreError):
            await operation()
        assert noted.names == ["findAndModify"]


async def test_a_document_looks_as_people_expect(
    store: MongodbStore, connection: MongodbConnection, name: str
) -> None:
    record = Sample(id="product_123", room="r", free={"a.b": {"$set": {"": 1, "\x01x\x02": 2}}})
    write = new(record)
    await store.records(SAMPLE).put(write)
    await store.records(SAMPLE).put(new(gone := Sample()))
    await store.records(SAMPLE).delete(delete := Delete(gone.id))
    collection = connection.client[name]["Sample"]

    kept = await collection.find_one({"_id": "product_123"})
    tombstone = await collection.find_one({"_id": gone.id})
    found = await store.records(SAMPLE).get("product_123")

    assert kept is not None
    assert (kept["_v"], kept["_w"], kept["_s"], "id" in kept) == (1, write.write_id, 1, False)
    assert kept["free"] == {"\x01~a\x02\x02b": {"\x01~$set": {"\x01~": 1, "\x01~\x01x\x02\x03": 2}}}
    assert tombstone == {
        "_id": gone.id, "_v": 2, "_w": delete.write_id, "_s": 1, "_deleted": True
    }  # fmt: skip
    assert found is not None
    assert found.data["free"] == record.free


async def test_each_type_comes_back_as_it_was(store: MongodbStore) -> None:
    day = date(1999, 12, 31)
    record = Typed(
        place="p", number=2**40, days=[day], named={"$x": day}, any=[1, 1.0, True, 2**62]
    )
    key = encode_key(TYPED, ("p", 2**40))
    records = store.records(TYPED)

    await records.put(Put(key, to_stored(record)))
    got = await records.get(key)
    changed = await records.change(Change(key, (Typed.days.push(day), Typed.day.set(day))))
    found = await store.queries(TYPED).find(Find(Typed.day == day))
    rows = await store.queries(TYPED).select(
        Find(), [Typed.day, Typed.number.sum(), Typed.number.avg(), Typed.ratio.sum(), count()]
    )

    assert got is not None
    assert from_stored(Typed, got.data, version=1, schema=1) == record
    assert [type(it) for it in got.data["any"]] == [int, float, bool, int]
    assert type(got.data["ratio"]) is float
    assert got.data["day"] == date(2026, 1, 2)
    assert changed.data["days"] == [day, day]
    assert found == [changed]
    assert rows == [(day, 2**40, float(2**40), 1.0, 1)]


CONDITIONS: tuple[Condition, ...] = (
    Sample.room == "a",
    Sample.room != "a",
    Sample.rank == None,  # noqa: E711 - asks
    Sample.rank < 5,
    Sample.price >= Decimal("1.1"),
    Sample.made_at.exists(),
    Sample.tags.has("$x"),
    Sample.side.width >= 1,
    Sample.side.exists(),
    Sample.sides.any((Side.width > 5) & (Side.note == None)),  # noqa: E711 - asks
    ~Sample.sides.any(Side.width > 5),
    Sample.room.starts_with("\ud7ff"),
    Sample.room.starts_with("\U0010ffff"),
    Sample.rank.one_of([1, None]),
    Sample.rank.one_of([]),
    FREE["v"] == 1,
    FREE["v"] == True,  # noqa: E712 - asks
    FREE["v"] != 1,
    FREE["v"] >= 1,
    FREE["v"] < "b",
    FREE["v"].exists(),
    FREE["v"].has(1),
    FREE["v"].has(None),
    FREE["v"].starts_with("a"),
    FREE["v"]["w"] == 1,
    FREE["v"]["w"] == None,  # noqa: E711 - asks
    FREE["v"]["w"]["x"] != 1,
    FREE["v"]["0"] == 1,
    FREE["v"]["w"].has(1),
)
VALUES: tuple[Any, ...] = (
    1, 1.0, True, None, "a", "1", 2**53 + 1, float(2**53), [], [1], [[1]], [None], [{"w": 1}],
    {}, {"w": 1}, {"w": [1]}, {"w": {"x": 1}}, [{"w": {"x": 1}}], {"0": 1}, {"w": [{"x": 1}]},
)  # fmt: skip


async def test_filters_and_expressions_mean_what_the_model_says(store: MongodbStore) -> None:
    records = [Sample(free={"v": value}) for value in VALUES]
    records += [
        Sample(room="a", rank=1, price=Decimal("1.10"), tags=["$x"], side=Side(width=1)),
        Sample(room="\ud7ffb", rank=7, sides=[Side(width=9), Side(note="n")]),
        Sample(room="\U0010ffff", rank=-1, made_at=datetime(2026, 1, 1, tzinfo=UTC)),
        Sample(room="\ue000", sides=[Side(width=9, note="n")]),
    ]
    await store.records(SAMPLE).put_many([new(record) for record in records])

    for asked in CONDITIONS:
        found = {one.key for one in await store.queries(SAMPLE).find(Find(asked))}
        changed = set()
        for record in records:
            with suppress(ConditionError):
                await store.records(SAMPLE).change(Change(record.id, GROW, asked))
                changed.add(record.id)

        expected = {it.id for it in records if satisfies(to_stored(it), asked)}
        assert found == expected, asked
        assert changed == expected, asked


async def test_numbers_never_leave_their_range_in_silence(store: MongodbStore) -> None:
    price: Any = Sample.price
    records = [
        Sample(in_stock=2**63 - 1),
        Sample(in_stock=-(2**63)),
        Sample(price=Decimal("9" * 34)),
        Sample(price=Decimal("1E+40")),
    ]
    adds = [
        Sample.in_stock.add(1),
        Sample.in_stock.add(-1),
        price.add(Decimal("0.1")),
        price.add(Decimal("1.1")),
    ]
    await fill(store, records)

    for record, add in zip(records, adds, strict=True):
        with pytest.raises(ConstraintError):
            await store.records(SAMPLE).change(Change(record.id, (add,)))
        found = await store.records(SAMPLE).get(record.id)
        assert found is not None
        assert found.data == to_stored(record)


async def test_the_clock_given_says_what_has_expired(
    connection: MongodbConnection, name: str
) -> None:
    clock = VirtualClock()
    store = MongodbStore(connection, name, clock)
    visit = Visit(at=clock.now())
    await fill(store, [visit])

    before = await store.records(VISIT).get(visit.id)
    clock.set(clock.now() + timedelta(hours=2))
    after = await store.records(VISIT).get(visit.id)

    assert before is not None
    assert after is None


@pytest.mark.parametrize("check", UNIQUE.values(), ids=UNIQUE)
async def test_a_unique_index_keeps_its_promise(
    store: MongodbStore, connection: MongodbConnection, check: Check
) -> None:
    if check is UNIQUE["a_unique_value_is_free_again"] and "unique" not in await probe(connection):
        pytest.skip("this server never gives a unique value free again, and the probe says so")

    await check.run(store)


async def test_the_running_server_is_asked_what_it_can_do(connection: MongodbConnection) -> None:
    found = await probe(connection)

    assert found >= CAN
    assert found <= CAPABILITIES


async def test_a_schema_is_made_once_and_what_is_not_declared_any_more_is_dropped(
    connection: MongodbConnection, name: str
) -> None:
    schema = MongodbSchema(connection, name)
    database = connection.client[name]
    await database["strange"].create_index("own")
    await database["Account"].create_index("own", name="own")

    again = await schema.plan([*samples(CAN), ACCOUNT, TYPED])
    less = await schema.plan([declaration_of(Bare)])
    for _ in range(2):
        for step in less:
            await schema.apply(step)

    assert again == []
    dropped = {step.subject.rpartition("_")[0] or step.subject for step in less if step.destructive}
    assert {"Account.rs_unique_email", "Sample"} <= dropped
    assert {step.phase for step in less if step.destructive} == {"contract"}
    assert "own" in await database["Account"].index_information()
    assert "strange" in await database.list_collection_names()
    assert await schema.plan([declaration_of(Bare)]) == []


class Bare(Entity, name="Account", retain=Retain("at", timedelta(days=1), {"closed": True})):
    """Account, with other wishes."""

    id: Field[str] = field(default_factory=new_id)
    at: Field[datetime | None] = field(default=None)
    closed: Field[bool] = field(default=False)


async def test_an_expiry_is_an_index_of_the_server(
    connection: MongodbConnection, name: str
) -> None:
    schema = MongodbSchema(connection, name)
    for step in await schema.plan([*samples(CAN), declaration_of(Bare)]):
        await schema.apply(step)

    visit = await connection.client[name]["Visit"].index_information()
    bare = await connection.client[name]["Account"].index_information()

    [index] = [found for found in visit.values() if "expireAfterSeconds" in found]
    [partial] = [found for found in bare.values() if "expireAfterSeconds" in found]
    assert (index["key"], index["expireAfterSeconds"]) == ([("at", 1)], 3600)
    assert partial["partialFilterExpression"] == {"closed": {"$eq": True}}


def test_an_index_over_two_lists_is_refused() -> None:
    class Lists(Entity, indexes=[Index("one", "two"), Index("one")]):
        id: Field[str]
        one: Field[list[str]] = field(default_factory=list)
        two: Field[list[str]] = field(default_factory=list)

    found = obstacles(declaration_of(Lists))

    assert [obstacle.subject for obstacle in found] == ["Index(one, two)"]


async def test_records_as_deep_as_allowed_are_kept(store: MongodbStore) -> None:
    deep: Any = 1
    for _ in range(97):
        deep = {"d": deep}
    record = Sample(free={"deep": deep})

    await store.records(SAMPLE).put(new(record))
    await store.records(SAMPLE).change(Change(record.id, GROW))

    found = await store.records(SAMPLE).get(record.id)
    assert found is not None
    assert found.data["free"] == record.free


async def test_a_record_that_is_too_large_is_refused(store: MongodbStore) -> None:
    record = Sample(free={"text": "x" * 17_000_000})

    with pytest.raises(ConstraintError):
        await store.records(SAMPLE).put(new(record))

    assert await store.records(SAMPLE).get(record.id) is None
