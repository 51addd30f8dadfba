"""Checks of what a declaration demands of its store: unique, append-only, expiry, schema; refusals.

They cannot catch that a store never removes what has expired: reads do not show it.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rightstore import clock
from rightstore.errors import (
    AlreadyExistsError,
    ConstraintError,
    NotFoundError,
    UnsupportedError,
    UsageError,
    VersionConflictError,
)
from rightstore.ids import new_id
from rightstore.model.measure import count
from rightstore.model.query import orders
from rightstore.model.record import from_stored, to_stored
from rightstore.ports.records import Change, Delete, Find, Put, RecordStore, Write
from rightstore.testing.contract.check import check, refusal
from rightstore.testing.contract.sample import (
    ACCOUNT,
    ARTICLE,
    FACT,
    OLD_PERSON,
    PERSON,
    SAMPLE,
    VISIT,
    Account,
    Fact,
    OldPerson,
    Person,
    Sample,
    Visit,
    fill,
    ids,
    new,
)

MANY = 20
# An hour past its end: far enough that the clocks of two machines agree.
LONG = timedelta(hours=2)


@check("unique")
async def two_records_cannot_share_a_unique_value(store: RecordStore) -> None:
    accounts = store.records(ACCOUNT)
    email = new_id()
    first, second = Account(email=email), Account(email=new_id())
    await fill(store, [first, second])

    with pytest.raises(ConstraintError):
        await accounts.put(new(Account(email=email)))
    with pytest.raises(ConstraintError):
        await accounts.change(Change(second.id, (Account.email.set(email),)))
    [outcome] = await accounts.put_many([new(Account(email=email))])

    found = await accounts.get(second.id)
    assert type(outcome) is ConstraintError
    assert found is not None
    assert (found.version, found.data["email"]) == (1, second.email)


@check("unique")
async def a_unique_value_is_free_again(store: RecordStore) -> None:
    accounts = store.records(ACCOUNT)
    emails = [new_id() for _ in range(3)]
    first, second = Account(email=emails[0]), Account(email=emails[1])
    await fill(store, [first, second])

    same = await accounts.put(Put(first.id, to_stored(first), 1))
    await accounts.change(Change(first.id, (Account.email.set(emails[2]),)))
    await accounts.delete(Delete(second.id))
    again = [await accounts.put(new(Account(email=email))) for email in emails[:2]]

    assert (same, again) == (2, [1, 1])
    with pytest.raises(ConstraintError):
        await accounts.put(new(second))


@check("unique")
async def none_and_other_cases_are_not_equal_in_a_unique_index(store: RecordStore) -> None:
    team, other = new_id(), new_id()

    await fill(
        store,
        [
            Account(team=team, nick="a"),
            Account(team=other, nick="a"),
            Account(team=team, nick="A"),
            Account(team=team),
            Account(team=team),
            Account(team=team, nick="a", closed=True),
            Account(team=team, nick="a", closed=True),
        ],
    )

    with pytest.raises(ConstraintError):
        await store.records(ACCOUNT).put(new(Account(team=team, nick="a")))


@check("unique")
async def one_of_many_at_once_gets_a_unique_value(store: RecordStore) -> None:
    email = new_id()

    found = await asyncio.gather(
        *(store.records(ACCOUNT).put(new(Account(email=email))) for _ in range(MANY)),
        return_exceptions=True,
    )

    assert [it for it in found if not isinstance(it, BaseException)] == [1]
    assert {type(it) for it in found} == {int, ConstraintError}


@check("unique", "transaction")
async def a_batch_that_a_unique_index_forbids_leaves_nothing(store: RecordStore) -> None:
    email, free = new_id(), new_id()
    first, second, third = Account(email=email), Account(email=new_id()), Account(email=free)
    await fill(store, [first, second])

    with pytest.raises(ConstraintError):
        await store.write(
            [
                (ACCOUNT, Delete(first.id)),
                (ACCOUNT, new(third)),
                (ACCOUNT, Change(second.id, (Account.email.set(free),))),
            ]
        )

    assert await store.records(ACCOUNT).put(new(third)) == 1
    with pytest.raises(ConstraintError):
        await store.records(ACCOUNT).put(new(Account(email=email)))


@check()
async def what_is_append_only_is_neither_changed_nor_overwritten_nor_deleted(
    store: RecordStore,
) -> None:
    facts = store.records(FACT)
    fact = Fact(text="said")
    await facts.put(new(fact))
    other = to_stored(Fact(id=fact.id, text="unsaid"))
    denied: list[Write] = [
        Put(fact.id, other, 1),
        Put(fact.id, other, "any"),
        Change(fact.id, (Fact.text.set("unsaid"),)),
        Delete(fact.id),
    ]
    calls: dict[type[Any], Callable[[Any], Any]] = {
        Put: facts.put,
        Change: facts.change,
        Delete: facts.delete,
    }

    for write in denied:
        with pytest.raises(UsageError):
            await calls[type(write)](write)
        with pytest.raises(UsageError):
            await store.write([(FACT, write)])
    with pytest.raises(UsageError):
        await facts.put_many([Put(fact.id, other, 1)])
    with pytest.raises(AlreadyExistsError):
        await facts.put(Put(fact.id, other))

    found = await facts.get(fact.id)
    assert found is not None
    assert (found.version, found.data["text"]) == (1, "said")


@check()
async def what_has_expired_is_absent_to_every_read(store: RecordStore) -> None:
    room, now = new_id(), clock.now()
    old, young, timeless = (
        Visit(id=f"{room}{n}", room=room, at=at) for n, at in enumerate([now - LONG, now, None])
    )
    await fill(store, [old, young, timeless])
    visits, queries = store.records(VISIT), store.queries(VISIT)
    mine = Visit.room == room
    what = Find(mine, orders(VISIT, [Visit.room.asc()]))

    found = await visits.get_many([old.id, young.id, timeless.id])

    assert [it and it.key for it in found] == [None, young.id, timeless.id]
    assert await visits.get(old.id) is None
    assert [it.key for it in await queries.find(what)] == [young.id, timeless.id]
    assert await queries.count(mine) == 2
    assert await queries.select(what, [Visit.id]) == [(young.id,), (timeless.id,)]


@check()
async def what_has_expired_is_absent_to_every_write(store: RecordStore) -> None:
    now, visits = clock.now(), store.records(VISIT)
    old, other, third = (Visit(at=now - LONG) for _ in range(3))
    await fill(store, [old, other, third])

    with pytest.raises(NotFoundError):
        await visits.change(Change(old.id, (Visit.seen.add(1),)))
    with pytest.raises(VersionConflictError):
        await visits.put(Put(old.id, to_stored(old), 1))
    deleted = await visits.delete(Delete(old.id))
    created = await visits.put(Put(other.id, to_stored(Visit(id=other.id, at=now))))
    fresh = to_stored(Visit(id=third.id, at=now, seen=1))
    changed = await visits.change(Change(third.id, (Visit.seen.add(9),), or_create=fresh))

    found = await visits.get_many([old.id, other.id, third.id])
    assert deleted == 0
    assert [it is None for it in found] == [True, False, False]
    # It may have been removed, version and all: then its key begins again.
    assert created in (1, 2)
    assert changed.data["seen"] == 1


@check()
async def a_record_of_an_older_schema_is_given_as_it_is_and_upgraded_by_a_change(
    store: RecordStore,
) -> None:
    record = OldPerson(name="Ada")
    await store.records(OLD_PERSON).put(new(record))
    people = store.records(PERSON)

    old = await people.get(record.id)
    grown = Change(record.id, (Person.age.add(1),), Person.full_name == "Ada")
    changed = await people.change(grown)

    assert old is not None
    assert (old.version, old.schema, old.data) == (1, 1, {"id": record.id, "name": "Ada"})
    assert from_stored(Person, old.data, version=1, schema=1).full_name == "Ada"
    assert (changed.version, changed.schema) == (2, 2)
    assert changed.data == {"id": record.id, "full_name": "Ada", "age": 31}
    assert await people.get(record.id) == changed


@check()
async def a_put_stores_the_declared_schema(store: RecordStore) -> None:
    record = OldPerson(name="Ada")
    await store.records(OLD_PERSON).put(new(record))
    renewed = Person(id=record.id, full_name="Ada", age=1)

    await store.records(PERSON).put(Put(record.id, to_stored(renewed), 1))

    found = await store.records(PERSON).get(record.id)
    assert found is not None
    assert (found.version, found.schema, found.data["age"]) == (2, 2, 1)


@refusal("scan")
async def a_condition_without_an_index_is_refused(store: RecordStore) -> None:
    with pytest.raises(UnsupportedError):
        await ids(store, Sample.in_stock > 0)


@refusal("aggregate")
async def an_aggregate_is_refused(store: RecordStore) -> None:
    with pytest.raises(UnsupportedError):
        await store.queries(SAMPLE).select(Find(Sample.room == new_id()), [count()])


@refusal("transaction")
async def a_batch_of_two_records_is_refused(store: RecordStore) -> None:
    one, two = Sample(), Sample()

    with pytest.raises(UnsupportedError):
        await store.write([(SAMPLE, new(one)), (SAMPLE, new(two))])

    assert await store.records(SAMPLE).get_many([one.id, two.id]) == [None, None]


@refusal("unique")
async def an_entity_with_a_unique_index_is_refused(store: RecordStore) -> None:
    with pytest.raises(UnsupportedError):
        store.records(ACCOUNT)


@refusal("text")
async def an_entity_with_a_text_index_is_refused(store: RecordStore) -> None:
    with pytest.raises(UnsupportedError):
        store.queries(ARTICLE)
