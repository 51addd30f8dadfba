"""What a caller sends is data for PostgreSQL: as value, key, prefix, words, edit and cursor.

It cannot catch a text that nobody has thought of; that no value is in a statement is a unit test.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from tests.contract.injection import INJECTIONS
from tests.contract.records_postgres import postgres

from rightstore.errors import InvalidQueryError
from rightstore.ids import new_id
from rightstore.model.cursor import decode_cursor
from rightstore.model.evaluate import position
from rightstore.model.query import orders
from rightstore.model.record import to_stored
from rightstore.ports.records import Change, Delete, Find, Put, RecordStore
from rightstore.testing.contract.sample import (
    ARTICLE,
    SAMPLE,
    Article,
    Sample,
    fill,
    ids,
    new,
    sorted_by,
)

FREE: Any = Sample.free
STEPS = [text for text in INJECTIONS if text.isprintable() and text[0] != "$" and "." not in text]


@pytest.fixture
def store() -> str:
    """The store that these tests are about."""
    return "postgres"


@pytest.fixture
async def opened(store_urls: Mapping[str, str]) -> AsyncIterator[RecordStore]:
    """A store with room for the samples."""
    async with postgres(store_urls) as made:
        yield made


def test_there_are_many() -> None:
    assert len(set(INJECTIONS)) >= 40


async def test_as_values_each_finds_itself_alone(opened: RecordStore) -> None:
    room = new_id()
    made = [Sample(room=room, tags=[text], free={"t": text}) for text in INJECTIONS]
    await fill(opened, made)
    mine = Sample.room == room

    for text, record in zip(INJECTIONS, made, strict=True):
        found = await opened.records(SAMPLE).get(record.id)
        assert found is not None
        assert found.data["free"] == {"t": text}
        assert await ids(opened, mine & (FREE["t"] == text)) == [record.id]
        assert await ids(opened, mine & FREE["t"].one_of([text])) == [record.id]
        assert await ids(opened, mine & Sample.tags.has(text)) == [record.id]
        assert record.id in await ids(opened, mine & FREE["t"].starts_with(text))
        assert await ids(opened, (Sample.room == text)) == []


async def test_as_keys_of_records_each_is_its_own(opened: RecordStore) -> None:
    records = opened.records(SAMPLE)
    for place, text in enumerate(INJECTIONS):
        await records.put(Put(text, to_stored(Sample(id=text, in_stock=place))))

    found = await records.get_many(INJECTIONS)
    page = await opened.queries(SAMPLE).find(Find(None, sorted_by()))

    assert [it and it.data["inStock"] for it in found] == list(range(len(INJECTIONS)))
    assert [it.key for it in page] == sorted(INJECTIONS)
    for text in INJECTIONS:
        assert await records.delete(Delete(text)) == 2


@pytest.mark.parametrize("step", STEPS)
async def test_as_free_form_keys_each_is_a_key(opened: RecordStore, step: str) -> None:
    record = Sample(room=new_id(), free={step: {"x": 1}, "other": 1})
    await opened.records(SAMPLE).put(new(record))
    mine = Sample.room == record.room

    changed = await opened.records(SAMPLE).change(
        Change(record.id, (FREE[step]["y"].set(step),), when=FREE[step]["x"] == 1)
    )

    assert changed.data["free"] == {step: {"x": 1, "y": step}, "other": 1}
    assert await ids(opened, mine & (FREE[step]["y"] == step)) == [record.id]
    assert await ids(opened, mine & (FREE[step]["x"] == 2)) == []
    what = Find(mine, sorted_by())
    assert await opened.queries(SAMPLE).select(what, [FREE[step]["x"]]) == [(1,)]


async def test_as_words_each_is_words(opened: RecordStore) -> None:
    room = new_id()
    await fill(opened, [Article(room=room, body=text) for text in INJECTIONS])

    for text in INJECTIONS:
        asked = Article.body.matches(text)
        found = await opened.queries(ARTICLE).find(Find((Article.room == room) & asked))
        bodies = [it.data["body"] for it in found]
        # A text without a word matches nothing.
        assert text in bodies or not asked.words  # type: ignore[attr-defined]  # a Matches


@pytest.mark.parametrize("text", INJECTIONS)
def test_as_cursors_each_is_refused(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        decode_cursor(SAMPLE, None, orders(SAMPLE, []), text)


async def test_as_positions_each_is_a_place_in_the_order(opened: RecordStore) -> None:
    room = new_id()
    await fill(opened, [Sample(room=room, id=f"{room}{text}") for text in INJECTIONS])
    order = sorted_by(Sample.room.asc())
    expected = sorted(f"{room}{text}" for text in INJECTIONS)

    for place, key in enumerate(expected):
        mark = position({"room": room, "id": key}, order)
        page = await opened.queries(SAMPLE).find(Find(Sample.room == room, order, None, mark))
        assert [it.key for it in page] == expected[place + 1 :]
