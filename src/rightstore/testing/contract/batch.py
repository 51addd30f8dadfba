"""Checks of batches: all or nothing, over records and entities of one group.

They cannot catch a crash in the middle or a lost reply; tests with servers and a proxy do.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

import asyncio
from contextlib import suppress

import pytest

from rightstore.errors import (
    AlreadyExistsError,
    ConditionError,
    NotFoundError,
    RightstoreError,
    UsageError,
    VersionConflictError,
)
from rightstore.ids import new_id
from rightstore.model.declaration import Declaration
from rightstore.model.record import to_stored
from rightstore.ports.records import Change, Delete, Put, RecordStore, Seen, Write
from rightstore.testing.contract.change import MANY
from rightstore.testing.contract.check import check
from rightstore.testing.contract.sample import (
    FACT,
    SAMPLE,
    STRANGER,
    Fact,
    Sample,
    Stranger,
    fill,
    new,
)


@check()
async def a_batch_of_one_record_does_what_its_method_does(store: RecordStore) -> None:
    record = Sample(in_stock=1)

    put = await store.write([(SAMPLE, new(record))])
    changed = await store.write([(SAMPLE, Change(record.id, (Sample.in_stock.add(1),)))])
    seen = await store.write([(SAMPLE, Seen(record.id, 2))])
    deleted = await store.write([(SAMPLE, Delete(record.id))])
    nothing = await store.write([(SAMPLE, Delete(record.id))])
    absent = await store.write([(SAMPLE, Seen(record.id, 0))])

    assert (put, changed, seen, deleted, nothing, absent) == ([1], [2], [2], [3], [0], [0])
    assert await store.write([]) == []


@check("transaction")
async def a_batch_writes_records_of_one_group_together(store: RecordStore) -> None:
    old, gone, fresh, fact = Sample(), Sample(), Sample(), Fact(text="done")
    await fill(store, [old, gone])

    versions = await store.write(
        [
            (SAMPLE, Change(old.id, (Sample.in_stock.add(5),))),
            (SAMPLE, new(fresh)),
            (SAMPLE, Delete(gone.id, 1)),
            (FACT, new(fact)),
        ]
    )

    found = await store.records(SAMPLE).get_many([old.id, fresh.id, gone.id])
    assert versions == [2, 1, 2, 1]
    assert [it and (it.version, it.data["inStock"]) for it in found] == [(2, 5), (1, 0), None]
    assert await store.records(FACT).get(fact.id) is not None


@check("transaction")
async def a_batch_that_fails_anywhere_leaves_nothing(store: RecordStore) -> None:
    old, other, fresh, fact = Sample(in_stock=1), Sample(), Sample(), Fact()
    await fill(store, [old, other])
    failing: list[tuple[Write, type[RightstoreError]]] = [
        (Put(other.id, to_stored(other)), AlreadyExistsError),
        (Put(other.id, to_stored(other), 7), VersionConflictError),
        (Change(new_id(), (Sample.rank.set(1),)), NotFoundError),
        (Change(other.id, (Sample.rank.set(1),), Sample.in_stock > 0), ConditionError),
        (Delete(other.id, 7), VersionConflictError),
        (Seen(other.id, 0), VersionConflictError),
        (Seen(new_id(), 1), VersionConflictError),
    ]
    before: list[tuple[Declaration, Write]] = [
        (SAMPLE, Change(old.id, (Sample.in_stock.add(1),))),
        (SAMPLE, new(fresh)),
        (FACT, new(fact)),
    ]

    for write, error in failing:
        for batch in ([*before, (SAMPLE, write)], [(SAMPLE, write), *before]):
            with pytest.raises(error):
                await store.write(batch)

    found = await store.records(SAMPLE).get_many([old.id, other.id, fresh.id])
    assert [it and (it.version, it.data["inStock"]) for it in found] == [(1, 1), (1, 0), None]
    assert await store.records(FACT).get(fact.id) is None
    # A key whose creation was undone begins at 1, and a deleted one where it was.
    assert await store.records(SAMPLE).put(new(fresh)) == 1


@check("transaction")
async def a_batch_goes_ahead_only_if_what_was_read_is_still_so(store: RecordStore) -> None:
    read, written = Sample(), Sample()
    await fill(store, [read, written])
    batch: list[tuple[Declaration, Write]] = [
        (SAMPLE, Seen(read.id, 1)),
        (SAMPLE, Change(written.id, (Sample.in_stock.add(1),))),
    ]

    first = await store.write(batch)
    await store.records(SAMPLE).change(Change(read.id, (Sample.rank.set(1),)))
    with pytest.raises(VersionConflictError):
        await store.write([batch[0], (SAMPLE, Change(written.id, (Sample.in_stock.add(1),)))])

    found = await store.records(SAMPLE).get(written.id)
    assert first == [1, 2]
    assert found is not None
    assert found.data["inStock"] == 1


@check("transaction")
async def what_a_batch_must_not_hold_is_refused_before_anything_is_written(
    store: RecordStore,
) -> None:
    one, fact, stranger = Sample(), Fact(), Stranger()
    await fill(store, [fact])
    refused: list[list[tuple[Declaration, Write]]] = [
        [(SAMPLE, new(one)), (SAMPLE, Change(one.id, (Sample.rank.set(1),)))],
        [(SAMPLE, new(one)), (SAMPLE, Seen(one.id, 0))],
        [(SAMPLE, new(one)), (STRANGER, new(stranger))],
        [(SAMPLE, new(one)), (FACT, Delete(fact.id))],
    ]

    for batch in refused:
        with pytest.raises(UsageError):
            await store.write(batch)

    assert await store.records(SAMPLE).get(one.id) is None
    assert await store.records(STRANGER).get(stranger.id) is None
    assert await store.records(FACT).get(fact.id) is not None


@check("transaction")
async def many_batches_at_once_keep_a_sum(store: RecordStore) -> None:
    one, two = Sample(in_stock=MANY // 2), Sample(in_stock=MANY // 2)
    await fill(store, [one, two])

    async def move(source: Sample, target: Sample) -> None:
        take = Change(source.id, (Sample.in_stock.add(-3),), Sample.in_stock >= 3)
        give = Change(target.id, (Sample.in_stock.add(3),))
        with suppress(ConditionError):
            await store.write([(SAMPLE, take), (SAMPLE, give)])

    pairs = [(one, two), (one, two), (two, one)]
    await asyncio.gather(*(move(*pairs[place % 3]) for place in range(MANY)))

    found = await store.records(SAMPLE).get_many([one.id, two.id])
    left = [it.data["inStock"] for it in found if it]
    assert sum(left) == MANY
    assert min(left) >= 0
