"""Whatever text comes in, DynamoDB takes it as data: values, keys, prefixes, free-form names.

It cannot catch what a text does in a program that reads the records.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.contract.injection import INJECTIONS
from tests.contract.records_dynamodb import dynamodb

from rightstore.errors import InvalidQueryError
from rightstore.ids import new_id
from rightstore.model.record import to_stored
from rightstore.ports.records import Change, Delete, Find, Put, RecordStore
from rightstore.testing.contract.sample import SAMPLE, Sample, Side, new, sorted_by

pytestmark = pytest.mark.servers
FREE: Any = Sample.free


@pytest.fixture
def store() -> str:
    """What the fixtures around it are asked for."""
    return "dynamodb"


@pytest.fixture
async def opened(url: str) -> AsyncIterator[RecordStore]:
    """A store with room for the samples."""
    async with dynamodb({"dynamodb": url}) as made:
        yield made


def test_there_are_enough_of_them() -> None:
    assert len(set(INJECTIONS)) >= 40


@pytest.mark.parametrize("text", INJECTIONS)
async def test_a_text_is_data_wherever_it_stands(opened: RecordStore, text: str) -> None:
    records, queries = opened.records(SAMPLE), opened.queries(SAMPLE)
    room, other = new_id() + text, new_id()
    one = Sample(
        id=new_id() + text, room=room, tags=[text], side=Side(note=text), free={text: text}
    )
    two = Sample(room=other, tags=["x"], free={"x": "x"})
    await records.put(new(one))
    await records.put(new(two))

    mine = Sample.room == room
    found = await queries.find(Find(mine & (Sample.side.note == text), sorted_by()))
    none = await queries.find(Find((Sample.room == other) & (Sample.side.note == text)))
    changed = await records.change(
        Change(one.id, (Sample.side.note.set(text * 2),), Sample.tags.has(text))
    )
    again = await records.put(Put(one.id, to_stored(one), "any"))

    assert [it.key for it in found] == [one.id]
    assert found[0].data["free"] == {text: text}
    assert none == []
    assert changed.data["side"]["note"] == text * 2
    assert await queries.count(mine & Sample.side.note.starts_with(text)) == 1
    assert (again, await records.delete(Delete(one.id))) == (3, 4)
    assert await records.get(two.id) is not None


@pytest.mark.parametrize("text", INJECTIONS)
async def test_a_text_is_a_name_in_free_form_or_refused(opened: RecordStore, text: str) -> None:
    record = Sample(room=new_id(), free={"x": "y"})
    await opened.records(SAMPLE).put(new(record))

    try:
        edit = FREE[text].set(1)
    except InvalidQueryError:
        return
    changed = await opened.records(SAMPLE).change(Change(record.id, (edit,), FREE[text] != "y"))

    assert changed.data["free"] == {"x": "y", text: 1}
