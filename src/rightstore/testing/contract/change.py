"""Checks of change: edits, conditions, creation, and no update lost among many at once.

They cannot catch a race that needs two processes or a slow wire; tests with servers do.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from rightstore.errors import (
    ConditionError,
    ConstraintError,
    NotFoundError,
    VersionConflictError,
)
from rightstore.ids import new_id
from rightstore.model.record import to_stored
from rightstore.ports.records import Change, Delete, Put, RecordStore
from rightstore.testing.contract.check import check
from rightstore.testing.contract.sample import SAMPLE, Sample, Side, new

MANY = 50
# `add` is typed for numbers that are always there; without one it begins at 0.
RANK: Any = Sample.rank
PRICE: Any = Sample.price


@check()
async def edits_change_what_is_there(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(room="old", rank=1, tags=["a", "b"], side=Side(width=1), free={"n": {"x": 1}})
    await records.put(new(record))
    edits = (
        Sample.room.set("new"),
        RANK.add(-3),
        PRICE.add(Decimal("0.10")),
        Sample.tags.push("c", keep=2),
        Sample.side.width.add(4),
        Sample.free["n"]["y"].set([1, {"z": None}]),
        Sample.sides.push(Side(note="s")),
    )

    changed = await records.change(write := Change(record.id, edits))

    assert (changed.version, changed.write_id) == (2, write.write_id)
    assert await records.get(record.id) == changed
    data = changed.data
    assert (data["room"], data["rank"], data["price"]) == ("new", -2, Decimal("0.10"))
    assert (data["tags"], data["side"]) == (["b", "c"], {"width": 5, "note": None})
    assert data["free"] == {"n": {"x": 1, "y": [1, {"z": None}]}}
    assert data["sides"] == [{"width": 0, "note": "s"}]


@check()
async def a_change_is_made_when_its_condition_holds(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(in_stock=2)
    await records.put(new(record))
    take = (Sample.in_stock.add(-2),)

    changed = await records.change(Change(record.id, take, when=Sample.in_stock >= 2))
    with pytest.raises(ConditionError):
        await records.change(Change(record.id, take, when=Sample.in_stock >= 2))

    found = await records.get(record.id)
    assert changed.data["inStock"] == 0
    assert found is not None
    assert (found.version, found.data["inStock"]) == (2, 0)


@check()
async def what_is_absent_cannot_be_changed(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    gone = Sample()
    await records.put(new(gone))
    await records.delete(Delete(gone.id))

    for key in (new_id(), gone.id):
        with pytest.raises(NotFoundError):
            await records.change(Change(key, (Sample.rank.set(1),)))
        with pytest.raises(NotFoundError):
            await records.change(Change(key, (Sample.rank.set(1),), when=Sample.rank == 7))
        assert await records.get(key) is None


@check()
async def what_is_absent_is_created_as_it_is_and_then_changed(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(in_stock=1)
    write = {"edits": (Sample.in_stock.add(1),), "or_create": to_stored(record)}

    found = [await records.change(Change(record.id, **write)) for _ in range(3)]  # type: ignore[arg-type]  # a dict of two types
    await records.delete(Delete(record.id))
    again = await records.change(
        Change(record.id, (Sample.rank.set(1),), Sample.in_stock > 9, to_stored(record))
    )

    assert [(it.version, it.data["inStock"]) for it in found] == [(1, 1), (2, 2), (3, 3)]
    assert (again.version, again.data) == (5, to_stored(record))


@check()
async def a_change_can_expect_a_version(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample()
    await records.put(new(record))

    changed = await records.change(Change(record.id, (Sample.rank.set(1),), expect=1))
    with pytest.raises(VersionConflictError):
        await records.change(Change(record.id, (Sample.rank.set(2),), expect=1))

    assert changed.version == 2


@check()
async def an_edit_without_a_place_changes_nothing_at_all(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(in_stock=1, rank=2**63 - 1)
    await records.put(new(record))

    with pytest.raises(ConditionError):
        await records.change(Change(record.id, (Sample.in_stock.add(1), Sample.side.width.set(1))))
    with pytest.raises(ConstraintError):
        await records.change(Change(record.id, (Sample.in_stock.add(1), RANK.add(1))))

    found = await records.get(record.id)
    assert found is not None
    assert (found.version, found.data["inStock"]) == (1, 1)


@check()
async def what_a_change_hands_over_is_a_copy(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample()
    await records.put(new(record))
    item = {"a": [1]}

    changed = await records.change(Change(record.id, (Sample.free["n"].set(item),)))
    item["a"].append(2)
    changed.data["free"]["n"]["a"].append(3)

    found = await records.get(record.id)
    assert found is not None
    assert found.data["free"] == {"n": {"a": [1]}}


@check()
async def no_update_is_lost_among_many_at_once(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample()
    await records.put(new(record))
    grow = (Sample.in_stock.add(1),)

    found = await asyncio.gather(*(records.change(Change(record.id, grow)) for _ in range(MANY)))

    assert sorted(it.version for it in found) == list(range(2, MANY + 2))
    assert all(it.data["inStock"] == it.version - 1 for it in found)
    last = await records.get(record.id)
    assert last is not None
    assert (last.version, last.data["inStock"]) == (MANY + 1, MANY)


@check()
async def many_at_once_create_a_record_once_and_count_on(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(in_stock=1)
    grow = (Sample.in_stock.add(1),)

    await asyncio.gather(
        *(records.change(Change(record.id, grow, or_create=to_stored(record))) for _ in range(MANY))
    )

    last = await records.get(record.id)
    assert last is not None
    assert (last.version, last.data["inStock"]) == (MANY, MANY)


@check()
async def no_more_is_sold_than_there_is(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample(in_stock=MANY)
    await records.put(new(record))

    async def buy(amount: int) -> int:
        take = (Sample.in_stock.add(-amount),)
        try:
            await records.change(Change(record.id, take, when=Sample.in_stock >= amount))
        except ConditionError:
            return 0
        return amount

    sold = await asyncio.gather(*(buy(1 + place % 3) for place in range(MANY)))

    last = await records.get(record.id)
    assert last is not None
    assert last.data["inStock"] == MANY - sum(sold)
    # The 17 who want 1 and the 17 who want 2 would take 51: at most 1 can be left over.
    assert last.data["inStock"] in (0, 1)
    assert last.version == 1 + sum(amount > 0 for amount in sold)


@check()
async def one_of_many_at_once_creates_a_record(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample()

    found = await asyncio.gather(
        *(records.put(Put(record.id, to_stored(record))) for _ in range(MANY)),
        return_exceptions=True,
    )

    assert [it for it in found if not isinstance(it, BaseException)] == [1]


@check()
async def one_of_many_at_once_with_the_same_version_wins(store: RecordStore) -> None:
    records = store.records(SAMPLE)
    record = Sample()
    await records.put(new(record))

    found = await asyncio.gather(
        *(records.put(Put(record.id, to_stored(record), 1)) for _ in range(MANY)),
        return_exceptions=True,
    )

    assert [it for it in found if not isinstance(it, BaseException)] == [2]
    assert {type(it) for it in found} == {int, VersionConflictError}
