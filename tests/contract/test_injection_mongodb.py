"""Nothing that a caller hands to MongoDB can become an operator or a path: it is only itself.

It cannot try every text; that every value stands behind an operator is what the adapter is made of.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from tests.contract.injection import INJECTIONS
from tests.contract.records_mongodb import mongodb

from rightstore.adapters.mongodb.store import MongodbStore
from rightstore.errors import ConditionError, RightstoreError
from rightstore.model.condition import Condition
from rightstore.model.record import from_stored
from rightstore.ports.records import Change, Delete
from rightstore.testing.contract.sample import SAMPLE, Sample, ids, new

pytestmark = pytest.mark.embedded
FREE: Any = Sample.free
# What a JSON request could hold where a text is expected.
OBJECTS: tuple[Any, ...] = (
    {"$gt": ""},
    {"$ne": None},
    {"$in": ["a"]},
    {"$regex": ".*"},
    {"$where": "true"},
    {"$expr": True},
    {"$or": [{}]},
    {"$literal": "a"},
    ["$id"],
)


@pytest.fixture
async def store(store_urls: Mapping[str, str]) -> AsyncIterator[MongodbStore]:
    """A store with one sample for each hostile text, which is in it wherever a text can be."""
    async with mongodb(store_urls) as opened:
        written = [new(sample(at, text)) for at, text in enumerate(INJECTIONS)]
        assert await opened.records(SAMPLE).put_many(written) == [1] * len(written)
        yield opened


def sample(at: int, text: str) -> Sample:
    return Sample(
        id=f"{at:03}{text}",
        room=text,
        tags=[text],
        free={"v": text, text: {text: [{text: at}]}, "list": [text]},
    )


def conditions(text: str) -> list[Condition]:
    return [
        Sample.room == text,
        Sample.tags.has(text),
        Sample.room.one_of([text]),
        FREE["v"] == text,
        FREE["list"].has(text),
        (Sample.room >= text) & (Sample.room <= text),
        Sample.id == f"{INJECTIONS.index(text):03}{text}",
    ]


async def test_a_hostile_text_finds_only_itself(store: MongodbStore) -> None:
    for at, text in enumerate(INJECTIONS):
        expected = sample(at, text)

        found = [await ids(store, asked) for asked in conditions(text)]
        record = await store.records(SAMPLE).get(expected.id)

        assert found == [[expected.id]] * len(found), text
        assert record is not None
        assert from_stored(Sample, record.data, version=1, schema=1) == expected


async def test_a_hostile_text_is_only_data_to_a_change(store: MongodbStore) -> None:
    for at, text in enumerate(INJECTIONS):
        value = {text: [text], "$set": {"room": text}}
        edits = (Sample.room.set(text), Sample.tags.push(text), FREE["v"].set(value))
        key, whens = sample(at, text).id, conditions(text)

        changed = await store.records(SAMPLE).change(Change(key, edits, when=whens[0] & whens[3]))
        for refused in (Sample.room != text, FREE["v"] == text):
            with pytest.raises(ConditionError):
                await store.records(SAMPLE).change(Change(key, edits, when=refused))

        assert changed.version == 2
        assert changed.data["tags"] == [text, text]
        assert changed.data["free"]["v"] == value
    assert await store.queries(SAMPLE).count() == len(INJECTIONS)


async def test_an_object_is_no_operator(store: MongodbStore) -> None:
    for given in OBJECTS:
        for field in (Sample.room, FREE["v"]):
            with pytest.raises(RightstoreError):
                await ids(store, field == given)
        with pytest.raises(RightstoreError):
            await ids(store, Sample.tags.has(given))


async def test_an_object_as_a_key_is_no_operator(store: MongodbStore) -> None:
    records = store.records(SAMPLE)

    for given in (*OBJECTS, {"_id": {"$gt": ""}}):
        assert await records.get(given) is None
        assert await records.delete(Delete(given)) == 0

    assert await store.queries(SAMPLE).count() == len(INJECTIONS)


async def test_objects_in_free_form_fields_stay_data(store: MongodbStore) -> None:
    record = Sample(free={"v": list(OBJECTS), "$ref": "x", "o": {"$ref": "x", "$id": 1}})

    await store.records(SAMPLE).put(new(record))

    found = await store.records(SAMPLE).get(record.id)
    assert found is not None
    assert found.data["free"] == record.free
