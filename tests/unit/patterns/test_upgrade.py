"""Records of an older schema become new ones, whatever happens meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from rightstore.adapters.memory.records import MemoryStore
from rightstore.errors import CorruptDataError
from rightstore.model.declaration import Declaration, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.model.upgrade import upgrade
from rightstore.model.wish import Index
from rightstore.patterns.schema.upgrade import Upgrading
from rightstore.ports.records import Put
from rightstore.ports.schema import Step
from rightstore.ports.upgrade import Older
from rightstore.testing.clock import VirtualClock


class Old(Entity, name="person", append_only=True):
    id: Field[str]
    name: Field[str]


class New(
    Entity, name="person", schema=2, append_only=True, indexes=[Index("handle", unique=True)]
):
    id: Field[str]
    full_name: Field[str]
    handle: Field[str]


@upgrade(New, to=2)
def rename(old: dict[str, Any]) -> dict[str, Any]:
    old["full_name"] = old.pop("name")
    old["handle"] = old["full_name"][:1]
    return old


OLD, NEW = declaration_of(Old), declaration_of(New)
RELAXED = replace(NEW, append_only=False)
STEP = Step("memory", "person", "bring its records to schema 2", phase="upgrade")


class Stale:
    """Answers what was true some time ago."""

    def __init__(self, then: Older) -> None:
        self._then = then

    async def older(self, declaration: Declaration, limit: int, after: str | None = None) -> Older:
        return self._then


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(VirtualClock())


async def fill(store: MemoryStore, *names: str) -> None:
    for name in names:
        data = {"id": name, "name": name}
        await store.records(OLD).put(Put(name, data))


def upgrading(store: MemoryStore, **options: Any) -> Upgrading:
    return Upgrading("memory", NEW, store, store, VirtualClock(), **options)


async def test_every_record_has_the_new_schema_and_a_new_version(store: MemoryStore) -> None:
    await fill(store, "ann", "bob", "cid")
    told: list[int] = []
    work = upgrading(store, batch=2, report=lambda entity, done: told.append(done))

    steps = await work.plan()
    await work.apply(steps[0])

    found = await store.records(NEW).get_many(["ann", "bob", "cid"])
    assert [(it.version, it.schema, it.data["full_name"]) for it in found if it] == [
        (2, 2, "ann"), (2, 2, "bob"), (2, 2, "cid"),
    ]  # fmt: skip
    assert told == [2, 3]
    assert await work.plan() == []


async def test_what_was_upgraded_before_it_was_killed_is_not_touched_again(
    store: MemoryStore,
) -> None:
    await fill(store, "ann", "bob")
    await store.records(NEW).put(Put("cid", {"id": "cid", "full_name": "cid", "handle": "c"}))
    told: list[int] = []

    work = upgrading(store, report=lambda entity, done: told.append(done))
    await work.apply((await work.plan())[0])

    kept = await store.records(NEW).get("cid")
    assert told == [2]
    assert kept is not None
    assert kept.version == 1


async def test_a_record_that_is_written_meanwhile_is_left_to_its_writer(
    store: MemoryStore,
) -> None:
    await fill(store, "ann")
    stale = await store.older(NEW, 10)
    written = {"id": "ann", "full_name": "Ann Lee", "handle": "x"}
    await store.records(RELAXED).put(Put("ann", written, expect=1))

    await Upgrading("memory", NEW, store, Stale(stale), VirtualClock()).apply(STEP)

    kept = await store.records(NEW).get("ann")
    assert kept is not None
    assert (kept.version, kept.data) == (2, written)


async def test_what_cannot_be_upgraded_is_counted_and_the_rest_is_done(store: MemoryStore) -> None:
    await fill(store, "ann", "abe", "bob")
    work = upgrading(store)

    with pytest.raises(CorruptDataError) as told:
        await work.apply((await work.plan())[0])

    bob = await store.records(NEW).get("bob")
    assert str(told.value).startswith("1 records of person in memory cannot be upgraded")
    assert bob is not None
    assert bob.schema == 2


async def test_an_entity_of_the_first_schema_needs_nothing(store: MemoryStore) -> None:
    await fill(store, "ann")

    steps = await Upgrading("memory", OLD, store, store, VirtualClock()).plan()

    assert steps == []
