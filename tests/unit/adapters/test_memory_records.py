"""What only the memory adapter promises: its clock, its steps, and one shelf for a name."""

import asyncio
from datetime import datetime, timedelta

import pytest

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM, Clock
from rightstore.errors import ConstraintError
from rightstore.model.edit import Set
from rightstore.model.record import to_stored
from rightstore.ports.capability import CAPABILITIES
from rightstore.ports.records import Change, Find, Put, RecordStore
from rightstore.testing.clock import VirtualClock
from rightstore.testing.contract.sample import (
    ACCOUNT,
    OLD_PERSON,
    PERSON,
    SAMPLE,
    VISIT,
    Account,
    OldPerson,
    Person,
    Sample,
    Visit,
    fill,
    new,
)

HOUR = 3600.0


class Racing(VirtualClock):
    """A clock that jumps after each look at it."""

    jump = 0.0

    def now(self) -> datetime:
        moment = super().now()
        self.set(moment + timedelta(seconds=self.jump))
        return moment


class Gate(VirtualClock):
    """A clock that lets nobody on before it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.reached.set()
        await self.open.wait()


def build(clock: Clock = SYSTEM) -> RecordStore:
    return MemoryStore(clock)


async def test_a_record_expires_at_its_moment() -> None:
    clock = VirtualClock()
    store = build(clock)
    visit = Visit(room="r", at=clock.now())
    await fill(store, [visit])

    await clock.advance(HOUR - 0.001)
    before = await store.records(VISIT).get(visit.id)
    await clock.advance(0.001)
    after = await store.records(VISIT).get(visit.id)

    assert before is not None
    assert after is None


async def test_an_expired_key_continues_its_version() -> None:
    clock = VirtualClock()
    store = build(clock)
    visit = Visit(at=clock.now())
    await fill(store, [visit])
    await clock.advance(HOUR)

    assert await store.records(VISIT).put(new(visit)) == 2


async def test_a_change_that_makes_a_record_expire_still_shows_it() -> None:
    clock = VirtualClock()
    store = build(clock)
    visit = Visit(at=None)
    await fill(store, [visit])
    await clock.advance(2 * HOUR)
    past = VirtualClock().now()

    changed = await store.records(VISIT).change(Change(visit.id, (Visit.at.set(past),)))

    assert changed.data["at"] == past
    assert await store.records(VISIT).get(visit.id) is None


async def test_a_record_that_expires_during_a_write_is_there_or_absent_but_not_both() -> None:
    clock = Racing()
    store = build(clock)
    visit = Visit(at=clock.now())
    await fill(store, [visit])
    clock.jump = 2 * HOUR

    changed = await store.records(VISIT).change(Change(visit.id, (Visit.seen.add(1),)))

    assert (changed.version, changed.data["seen"]) == (2, 1)


async def test_a_call_that_is_cancelled_before_its_step_leaves_nothing() -> None:
    gate = Gate()
    store = build(gate)
    record = Sample()
    task = asyncio.ensure_future(store.records(SAMPLE).put(new(record)))
    async with asyncio.timeout(5):
        await gate.reached.wait()

    task.cancel()
    await asyncio.wait([task])
    gate.open.set()

    assert task.cancelled()
    assert await store.records(SAMPLE).get(record.id) is None


async def test_an_older_declaration_does_not_lower_the_schema_of_a_record() -> None:
    store = build()
    record = Person(full_name="Ada")
    await fill(store, [record])
    place = OLD_PERSON.place("name")

    changed = await store.records(OLD_PERSON).change(Change(record.id, (Set(place, "A"),)))

    assert changed.schema == 2
    assert await store.records(PERSON).get(record.id) == changed


async def test_both_declarations_of_a_name_see_the_same_records() -> None:
    store = build()
    await fill(store, [OldPerson(name="Ada"), Person(full_name="Bea")])

    assert await store.queries(PERSON).count() == 2
    assert len(await store.queries(OLD_PERSON).find(Find())) == 2


async def test_two_stores_share_nothing() -> None:
    one, two = build(), build()
    await fill(one, [record := Sample()])

    assert await two.records(SAMPLE).get(record.id) is None
    assert one.capabilities == CAPABILITIES


async def test_a_refusal_of_a_unique_index_names_it_but_shows_no_value() -> None:
    store = build()
    await fill(store, [Account(email="canary-7f3a")])
    twin = Account(email="canary-7f3a")

    with pytest.raises(ConstraintError, match="same email, and a unique Index") as caught:
        await store.records(ACCOUNT).put(Put(twin.id, to_stored(twin)))

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("kept", [new(Sample(room="canary-7f3a")), Find(after=("canary-7f3a",))])
def test_what_goes_to_a_store_shows_no_value(kept: object) -> None:
    assert "canary" not in repr(kept)
