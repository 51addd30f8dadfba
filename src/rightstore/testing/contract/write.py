"""Checks of get, get_many, put, put_many and delete: versions, expectations, tombstones, copies.

They cannot catch what only a second process, a crash or a lost reply shows.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rightstore.errors import AlreadyExistsError, UsageError, VersionConflictError
from rightstore.ids import new_id
from rightstore.model.record import from_stored, to_stored
from rightstore.ports.records import Delete, Find, Put, RecordStore
from rightstore.testing.contract.check import check
from rightstore.testing.contract.sample import SAMPLE, Sample, Side, new, sorted_by

FULL: dict[str, Any] = {
    "room": "r",
    "rank": -(2**63),
    "in_stock": 2**63 - 1,
    "price": Decimal("1.10"),
    "made_at": datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
    "tags": ["", "ä", "\U0001f600", "a'b\"c\\d$e.f%g"],
    "free": {"z": 1, "a": [1.5, None, True, {"$where": "1", "x.y": {}}], "$set": {"": ""}},
}


@check()
async def a_record_comes_back_exactly_as_it_was_put(store: RecordStore) -> None:
    record = Sample(**FULL, side=Side(width=1), sides=[Side(note="x"), Side(width=2)])
    write = new(record)

    await store.records(SAMPLE).put(write)
    found = await store.records(SAMPLE).get(record.id)

    assert found is not None
    assert (found.key, found.version, found.schema) == (record.id, 1, 1)
    assert found.write_id == write.write_id
    assert list(found.data["free"]) == ["z", "a", "$set"]
    assert from_stored(Sample, found.data, version=1, schema=1) == record


@check()
async def what_was_never_put_is_absent(store: RecordStore) -> None:
    records = store.records(SAMPLE)

    assert await records.get(new_id()) is None
    assert await records.delete(Delete(new_id())) == 0


@check()
async def keys_are_data(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    room = new_id()
    keys = [f"{room}{tail}" for tail in ("", " ", "A", "a", "'; --", "%", "\x01", "ä", "$ne", "/")]

    for place, key in enumerate(keys):
        await records.put(Put(key, to_stored(Sample(id=key, in_stock=place))))
    found = await records.get_many(keys)

    assert [one and one.data["inStock"] for one in found] == list(range(len(keys)))


@check()
async def many_are_read_in_the_order_asked(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    one, two, gone = Sample(), Sample(), Sample()
    for record in (two, gone, one):
        await records.put(new(record))
    await records.delete(Delete(gone.id))

    found = await records.get_many([one.id, new_id(), two.id, gone.id, one.id])

    assert [it and it.key for it in found] == [one.id, None, two.id, None, one.id]
    assert await records.get_many([]) == []


@check()
async def each_write_raises_the_version_by_one(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    data = to_stored(record := Sample())

    versions = [await records.put(Put(record.id, data, expect)) for expect in (0, 1, 2, "any")]

    assert versions == [1, 2, 3, 4]


@check()
async def a_stale_version_is_refused(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(in_stock=1)
    await records.put(new(record))
    await records.put(Put(record.id, to_stored(Sample(id=record.id, in_stock=2)), 1))

    for expect in (1, 3):
        with pytest.raises(VersionConflictError):
            await records.put(Put(record.id, to_stored(record), expect))
    with pytest.raises(VersionConflictError):
        await records.delete(Delete(record.id, 1))

    found = await records.get(record.id)
    assert found is not None
    assert (found.version, found.data["inStock"]) == (2, 2)


@check()
async def a_new_record_must_not_exist(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(in_stock=1)
    await records.put(new(record))

    with pytest.raises(AlreadyExistsError):
        await records.put(Put(record.id, to_stored(Sample(id=record.id, in_stock=2))))

    found = await records.get(record.id)
    assert found is not None
    assert (found.version, found.data["inStock"]) == (1, 1)


@check()
async def a_version_is_expected_of_a_record_that_is_not_there(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample()

    with pytest.raises(VersionConflictError):
        await records.put(Put(record.id, to_stored(record), 1))
    with pytest.raises(VersionConflictError):
        await records.delete(Delete(record.id, 1))

    assert await records.get(record.id) is None


@check()
async def the_last_writer_wins_when_any_version_will_do(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(in_stock=1)

    first = await records.put(Put(record.id, to_stored(record), "any"))
    second = await records.put(Put(record.id, to_stored(Sample(id=record.id)), "any"))

    assert (first, second) == (1, 2)


@check()
async def a_deleted_record_is_absent_and_its_key_continues_its_version(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample()
    await records.put(new(record))

    deleted = await records.delete(Delete(record.id, 1))
    again = await records.delete(Delete(record.id))
    absent = await records.get(record.id)
    with pytest.raises(VersionConflictError):
        await records.put(Put(record.id, to_stored(record), 2))
    created = await records.put(new(record))
    await records.delete(Delete(record.id))
    last = await records.put(Put(record.id, to_stored(record), "any"))

    assert (deleted, again, absent, created, last) == (2, 0, None, 3, 5)


@check()
async def a_delete_that_expects_no_record_is_refused(store: RecordStore) -> None:
    with pytest.raises(UsageError):
        await store.records(SAMPLE).delete(Delete(new_id(), 0))


@check()
async def what_was_handed_over_is_a_copy(store: RecordStore) -> None:
    records, queries = store.records(SAMPLE), store.queries(SAMPLE)
    record = Sample(room=new_id(), free={"a": [1]})
    write = new(record)
    await records.put(write)

    write.data["free"]["a"].append(2)
    for _ in range(2):
        found = await records.get(record.id)
        [other] = await records.get_many([record.id])
        [third] = await queries.find(_all_of(record.room))
        for one in (found, other, third):
            assert one is not None
            assert one.data["free"] == {"a": [1]}
            one.data["free"]["a"].append(3)


@check()
async def many_are_put_each_with_its_own_outcome(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    there, fresh, last = Sample(), Sample(), Sample()
    await records.put(new(there))

    stale = Put(there.id, to_stored(Sample(id=there.id, in_stock=9)), 7)
    first, second, third = await records.put_many([new(fresh), stale, new(last)])
    [fourth] = await records.put_many([new(there)])

    assert (first, third) == (1, 1)
    assert type(second) is VersionConflictError
    assert type(fourth) is AlreadyExistsError
    found = await records.get(there.id)
    assert found is not None
    assert found.data["inStock"] == 0
    assert await records.put_many([]) == []


@check()
async def a_key_that_comes_twice_is_refused_before_anything_is_put(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    one, two = Sample(), Sample()

    with pytest.raises(UsageError):
        await records.put_many([new(one), new(two), new(two)])

    assert await records.get_many([one.id, two.id]) == [None, None]


def _all_of(room: str) -> Find:
    return Find(Sample.room == room, sorted_by())
