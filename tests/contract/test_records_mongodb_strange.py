"""What MongoDB may meet beyond the contract: strange documents, large requests, moving records."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure
from tests.contract.records_mongodb import CAN, connected, room
from tests.contract.site import Site

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.probe import probe
from rightstore.adapters.mongodb.records import MongodbRecords
from rightstore.adapters.mongodb.store import MongodbStore
from rightstore.clock import SYSTEM
from rightstore.errors import ConstraintError, CorruptDataError, StoreError, UnsupportedError
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.model.record import to_stored
from rightstore.model.wish import Index
from rightstore.ports.records import Change, Delete, Find, Put
from rightstore.repository.repository import Repository
from rightstore.testing.contract.sample import ACCOUNT, SAMPLE, Account, Sample, fill, new, samples

pytestmark = pytest.mark.embedded
GROW = (Sample.in_stock.add(1),)
STRANGE = {"_id": "strange", "room": "a", "inStock": 1}


@pytest.fixture
async def connection(store_urls: Mapping[str, str]) -> AsyncIterator[MongodbConnection]:
    """A connection to the server."""
    async with connected(store_urls["mongodb"]) as opened:
        yield opened


@pytest.fixture
async def name(connection: MongodbConnection) -> AsyncIterator[str]:
    """A database with room for the samples, those with a unique index too."""
    async with room(connection, [*samples(CAN), ACCOUNT]) as name:
        yield name


@pytest.fixture
def store(connection: MongodbConnection, name: str) -> MongodbStore:
    """A store in that database."""
    return MongodbStore(connection, name, SYSTEM)


@pytest.fixture
async def strange(connection: MongodbConnection, name: str) -> AsyncCollection[dict[str, Any]]:
    """The collection of the samples, with a document that is not ours in it."""
    await connection.client[name].command({"collMod": "Sample", "validator": {}})
    collection = connection.client[name]["Sample"]
    await collection.insert_one(STRANGE)
    return collection


Use = Callable[[MongodbStore], Awaitable[object]]
USES: Mapping[str, Use] = {
    "get": lambda store: store.records(SAMPLE).get("strange"),
    "get_many": lambda store: store.records(SAMPLE).get_many(["strange", "other"]),
    "find": lambda store: store.queries(SAMPLE).find(Find(Sample.room == "a")),
    "put any": lambda store: store.records(SAMPLE).put(Put("strange", {}, "any")),
    "put new": lambda store: store.records(SAMPLE).put(Put("strange", {}, 0)),
    "put": lambda store: store.records(SAMPLE).put(Put("strange", {}, 1)),
    "change": lambda store: store.records(SAMPLE).change(Change("strange", GROW)),
    "create": lambda store: store.records(SAMPLE).change(
        Change("strange", GROW, or_create=to_stored(Sample(id="strange")))
    ),
    "delete": lambda store: store.records(SAMPLE).delete(Delete("strange")),
    "batch": lambda store: store.write(
        [(SAMPLE, new(Sample())), (SAMPLE, Put("strange", {}, "any"))]
    ),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_document_that_is_not_ours_is_named_and_left_as_it_is(
    store: MongodbStore, strange: AsyncCollection[dict[str, Any]], use: Use
) -> None:
    with pytest.raises(CorruptDataError, match="Sample"):
        await use(store)

    assert await strange.find_one({"_id": "strange"}) == STRANGE


async def test_a_value_that_python_has_not_is_named(
    store: MongodbStore, connection: MongodbConnection, name: str
) -> None:
    record = Sample()
    await fill(store, [record])
    late = {"$set": {"madeAt": DatetimeMS(2**60)}}
    try:
        await connection.client[name]["Sample"].update_one({"_id": record.id}, late)
    except OperationFailure:
        pytest.skip("this server keeps no such moment either")

    for read in (
        store.records(SAMPLE).get(record.id),
        store.records(SAMPLE).get_many([record.id]),
        store.queries(SAMPLE).find(Find()),
        store.records(SAMPLE).change(Change(record.id, GROW)),
    ):
        with pytest.raises(CorruptDataError, match="Sample"):
            await read


async def test_a_question_that_is_too_large_is_refused(store: MongodbStore) -> None:
    large = "x" * 60_000_000

    for ask in (
        store.queries(SAMPLE).find(Find(Sample.room == large)),
        store.queries(SAMPLE).count(Sample.room == large),
    ):
        with pytest.raises(StoreError, match="16 MB") as caught:
            await ask
        assert caught.value.outcome == "not applied"


class Moving(MongodbRecords):
    """Records of which the first comes twice, as one that moves while the server walks along."""

    async def _fetch(self, where: Any, **options: Any) -> Any:
        found = await super()._fetch(where, **options)
        if options.get("limit") and len(found.documents) > 2:
            again = dict(found.documents[0])
            return replace(found, documents=[*found.documents[:2], again, *found.documents[2:-1]])
        return found


async def test_a_record_that_comes_twice_makes_no_page_the_last(
    store: MongodbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rightstore.adapters.mongodb.store.MongodbRecords", Moving)
    await fill(store, [Sample(id=f"{n:02}", rank=n) for n in range(10)])
    query = Repository(Sample, store, at="mongodb").find().sort(Sample.rank.asc())

    one = await query.page(4)
    two = await query.page(4, after=one.next)
    three = await query.page(4, after=two.next)

    pages = [[record.id for record in page.items] for page in (one, two, three)]
    assert pages == [["00", "01", "02", "03"], ["04", "05", "06", "07"], ["08", "09"]]
    assert three.next is None


async def test_refusals_take_no_new_session_each(store: MongodbStore) -> None:
    first, second = Account(email="a"), Account(email="b")
    records = store.records(ACCOUNT)
    for account in (first, second):
        await records.put(Put(account.id, to_stored(account), 0))
    lanes = store._writer.sender._lanes

    for _ in range(3):
        with pytest.raises(ConstraintError):
            await records.put(Put(second.id, to_stored(Account(id=second.id, email="a")), 1))

    assert len(lanes) == 1


class Member(Entity, home="mongodb", indexes=[Index("email", unique=True)]):
    """What the embedded server cannot keep."""

    id: Field[str]
    email: Field[str]


async def test_a_unique_index_is_refused_where_the_server_does_not_keep_it(
    connection: MongodbConnection, store_urls: Mapping[str, str], namespace: str
) -> None:
    if "unique" in await probe(connection):
        pytest.skip("this server keeps unique indexes")
    site = Site(store_urls, namespace)

    with pytest.raises(UnsupportedError, match=r'Index\(email\): this server .*home="postgres"'):
        async with site.open(Member):
            pytest.fail("it opened")

    await site.clear()


async def test_what_may_not_be_tried_is_not_promised(
    connection: MongodbConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    able = await probe(connection)
    monkeypatch.setattr("rightstore.adapters.mongodb.probe.SCRATCH", "local")

    assert await probe(connection) <= able
