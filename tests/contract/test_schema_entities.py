"""The room for entities on every store of records: plan, apply, empty plan; old code and new code.

It cannot catch an index that is there and not used: the queries of the records suite do.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from rightstore import wiring
from rightstore.clock import SYSTEM
from rightstore.model.declaration import Declaration, StoreName, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.model.record import from_stored, to_stored
from rightstore.model.upgrade import upgrade
from rightstore.model.wish import Index
from rightstore.patterns.schema.apply import Applied, Permission, Progress, apply
from rightstore.patterns.schema.plan import Bound
from rightstore.patterns.schema.upgrade import Upgrading
from rightstore.ports.connection import Connection, Target
from rightstore.ports.records import Change, Delete, Put, RecordStore
from rightstore.ports.schema import Schema, Step
from rightstore.ports.upgrade import Upgrades

# So few at once that every look ends in the middle of them.
WINDOW = 3
STORES: tuple[StoreName, ...] = ("postgres", "mongodb", "dynamodb")


class Before(Entity, name="book", key="id", indexes=[Index("author", "-year")]):
    id: Field[str]
    author: Field[str]
    year: Field[int]


class After(
    Entity, name="book", key="id", indexes=[Index("author", "-year"), Index("genre", "id")]
):
    id: Field[str]
    author: Field[str]
    year: Field[int]
    genre: Field[str] = field(default="novel")


class Newest(Entity, name="book", key="id", schema=2, indexes=[Index("author", "-year")]):
    id: Field[str]
    author: Field[str]
    year: Field[str]


@upgrade(Newest, to=2)
def year_as_text(old: dict[str, Any]) -> dict[str, Any]:
    return {**old, "year": str(old["year"])}


class Shelf(Entity, name="shelf", key="id"):
    id: Field[str]


BEFORE, AFTER, NEWEST, SHELF = map(declaration_of, (Before, After, Newest, Shelf))


@dataclass(frozen=True)
class Room:
    """One store, open, with nothing in the namespace."""

    store: StoreName
    schema: Schema
    records: RecordStore
    upgrades: Upgrades

    async def become(self, *declarations: Declaration, destructive: bool = True) -> Applied:
        permission = Permission(destructive=destructive)
        return await apply([Bound(self.schema, declarations)], permission, report=silent)

    async def plan(self, *declarations: Declaration) -> list[Step]:
        return await self.schema.plan(declarations)


def silent(_: Progress) -> None: ...


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Each store of records in turn."""
    return str(request.param)


@pytest.fixture
async def room(
    store: StoreName, store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[Room]:
    if store not in store_urls:
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(f"no {store} server")
        pytest.skip(f"no {store} server: set {store.upper()}_URL, or run `make test-servers`")
    connection = wiring.bare_connection(Target(store, store_urls[store]), SYSTEM)
    await connection.open()
    yield made(store, connection, namespace)
    await connection.close()


def made(store: StoreName, connection: Connection, namespace: str) -> Room:
    return Room(
        store,
        wiring.part(store, "schema")(connection, namespace),
        wiring.part(store, "store")(connection, namespace, SYSTEM),
        wiring.part(store, "older")(connection, namespace, SYSTEM, window=WINDOW),
    )


async def test_after_a_plan_is_applied_there_is_none(room: Room) -> None:
    steps = await room.plan(BEFORE, SHELF)
    applied = await room.become(BEFORE, SHELF)

    assert steps != []
    assert [step for step in steps if step.destructive or step.phase != "expand"] == []
    assert {step.store for step in steps} == {room.store}
    assert applied.error is None
    assert await room.plan(BEFORE, SHELF) == []


async def test_a_step_that_is_done_already_is_well(room: Room) -> None:
    steps = await room.plan(BEFORE)
    await room.become(BEFORE)

    for step in steps:
        await room.schema.apply(step)

    assert await room.plan(BEFORE) == []


async def test_two_processes_at_once_do_no_harm(room: Room) -> None:
    one, other = await asyncio.gather(room.become(AFTER, SHELF), room.become(AFTER, SHELF))

    assert (one.error, other.error) == (None, None)
    assert await room.plan(AFTER, SHELF) == []


async def test_a_new_field_and_index_are_added_beside_what_is_there(room: Room) -> None:
    await room.become(BEFORE)
    await room.records.records(BEFORE).put(Put("a", book("a", 1999)))

    steps = await room.plan(AFTER)
    applied = await room.become(AFTER)

    assert [step for step in steps if step.destructive or step.phase != "expand"] == []
    assert applied.error is None
    assert await room.plan(AFTER) == []
    kept = await room.records.records(AFTER).get("a")
    assert kept is not None
    assert kept.version == 1


async def test_an_index_that_nobody_declares_any_more_goes(room: Room) -> None:
    await room.become(AFTER)
    await room.records.records(BEFORE).put(Put("a", book("a", 1999)))

    steps = await room.plan(BEFORE)
    await room.become(BEFORE)

    assert [step.phase for step in steps] == ["contract"]
    assert await room.plan(BEFORE) == []
    assert await room.records.records(BEFORE).get("a") is not None


async def test_what_belongs_to_no_declared_entity_goes_only_by_a_destructive_step(
    room: Room,
) -> None:
    await room.become(BEFORE, SHELF)

    steps = await room.plan(BEFORE)

    assert [step for step in steps if not step.destructive] == []


async def test_old_code_works_on_the_new_schema_and_new_code_on_the_old(room: Room) -> None:
    await room.become(BEFORE)
    old, new = room.records.records(BEFORE), room.records.records(AFTER)

    await new.put(Put("new", to_stored(After(id="new", author="Lem", year=1961, genre="sf"))))
    await old.put(Put("old", book("old", 1974)))
    before = [await it.get(key) for it in (old, new) for key in ("new", "old")]
    await room.become(AFTER)
    moved = room.records.records(AFTER)
    await old.put(Put("late", book("late", 1980)))
    await old.change(Change("new", (Before.year.add(1),)))
    await moved.change(Change("old", (After.genre.set("essay"),)))

    after = [await it.get(key) for it in (old, moved) for key in ("new", "old", "late")]
    assert None not in before + after
    kept = await moved.get("new")
    assert kept is not None
    record = from_stored(After, kept.data, version=kept.version, schema=kept.schema)
    assert (record.year, record.genre) == (1962, "sf")
    assert await room.plan(AFTER) == []


async def test_records_of_an_older_schema_are_found_in_windows_and_upgraded(room: Room) -> None:
    await room.become(BEFORE)
    old = room.records.records(BEFORE)
    keys = [f"k{number:02}" for number in range(25)]
    await old.put_many([Put(key, book(key, 1990)) for key in keys])
    work = Upgrading(room.store, NEWEST, room.records, room.upgrades, SYSTEM, batch=4)

    steps = await work.plan()
    await work.apply(steps[0])

    found = await room.records.records(NEWEST).get_many(keys)
    assert [(it.version, it.schema, it.data["year"]) for it in found if it] == [(2, 2, "1990")] * 25
    assert await work.plan() == []


async def test_an_upgrade_that_was_killed_goes_on_where_it_was(room: Room) -> None:
    await room.become(BEFORE)
    keys = [f"k{number}" for number in range(9)]
    await room.records.records(BEFORE).put_many([Put(key, book(key, 1990)) for key in keys])
    begun = asyncio.Event()
    work = Upgrading(
        room.store,
        NEWEST,
        room.records,
        room.upgrades,
        SYSTEM,
        report=lambda entity, done: begun.set(),
        batch=4,
    )
    step = (await work.plan())[0]

    killed = asyncio.create_task(work.apply(step))
    await begun.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    await work.apply(step)

    found = await room.records.records(NEWEST).get_many(keys)
    assert killed.cancelled()
    assert [(it.version, it.schema) for it in found if it] == [(2, 2)] * 9


async def test_where_there_is_no_room_yet_nothing_is_older(room: Room) -> None:
    found = await room.upgrades.older(NEWEST, 10)

    assert (found.records, found.next) == ([], None)


async def test_deleted_records_are_never_older(room: Room) -> None:
    await room.become(BEFORE)
    await room.records.records(BEFORE).put(Put("a", book("a", 1990)))
    await room.records.records(BEFORE).delete(Delete("a"))

    found = await room.upgrades.older(NEWEST, 10)

    assert (found.records, found.next) == ([], None)


def book(key: str, year: int) -> dict[str, Any]:
    return to_stored(Before(id=key, author="Lem", year=year))
