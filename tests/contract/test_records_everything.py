"""Every real store answers as memory does about fields and keys of every kind.

Beside test_records_parity, which goes deeper into concurrent versions with one entity of few kinds.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from tests.contract.everything import (
    COLUMNS,
    COUNTED,
    EVERYTHING,
    GROUPS,
    MARKED,
    MARKS,
    NUMBERS,
    Counted,
    Everything,
    Marked,
    conditions,
    edits,
    fields,
    names,
    orders_asked,
)
from tests.contract.parity import Twins
from tests.laws.store import STORES, opened, room

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.model import query
from rightstore.model.condition import Condition
from rightstore.model.evaluate import position
from rightstore.model.group import is_grouped
from rightstore.model.key import encode_key
from rightstore.model.record import to_stored
from rightstore.ports.connection import Target
from rightstore.ports.records import Change, Find, Put, RecordStore, Stored
from rightstore.repository.repository import Repository

THOROUGH = os.environ.get("REQUIRE_SERVERS") == "1"
STEPS = 2_000 if THOROUGH else 300
EXAMPLES = settings(
    max_examples=120 if THOROUGH else 20,
    stateful_step_count=40,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
Name = tuple[int, UUID]


class Breadth(Twins):
    """Asks about everything."""

    def key(self, name: Name) -> str:
        return encode_key(EVERYTHING, (self.room, *name))

    def data(self, name: Name, given: dict[str, Any]) -> dict[str, Any]:
        number, mark = name
        return to_stored(Everything(room=self.room, number=number, mark=mark, **given))

    @rule(name=names, given=fields)
    def put(self, name: Name, given: dict[str, Any]) -> None:
        write = Put(self.key(name), self.data(name, given), "any")
        self.both(lambda store: store.records(EVERYTHING).put(write))

    @rule(given=st.dictionaries(names, fields, max_size=5))
    def put_many(self, given: dict[Name, dict[str, Any]]) -> None:
        writes = [Put(self.key(name), self.data(name, one), "any") for name, one in given.items()]
        self.both(lambda store: store.records(EVERYTHING).put_many(writes))

    @rule(name=names, changes=edits, when=st.none() | conditions, other=st.none() | fields)
    def change(
        self, name: Name, changes: Any, when: Condition | None, other: dict[str, Any] | None
    ) -> None:
        made = None if other is None else self.data(name, other)
        write = Change(self.key(name), tuple(changes), when, made)
        self.both(lambda store: store.records(EVERYTHING).change(write))

    @rule(where=st.none() | conditions, order=orders_asked, limit=st.none() | st.integers(1, 3))
    def find(self, where: Condition | None, order: Any, limit: int | None) -> None:
        what = Find(self.inside(where), query.orders(EVERYTHING, order), limit)
        self.both(lambda store: store.queries(EVERYTHING).find(what))

    @rule(where=st.none() | conditions, order=orders_asked, size=st.integers(1, 2))
    def pages(self, where: Condition | None, order: Any, size: int) -> None:
        orders = query.orders(EVERYTHING, order)

        async def through(store: RecordStore) -> list[list[Stored]]:
            found: list[list[Stored]] = []
            while not found or found[-1]:
                mark = position(found[-1][-1].data, orders) if found else None
                what = Find(self.inside(where), orders, size, mark)
                found.append(await store.queries(EVERYTHING).find(what))
            return found

        self.both(through)

    @rule(asked=st.lists(conditions, min_size=5, max_size=20))
    def count(self, asked: list[Condition]) -> None:
        async def each(store: RecordStore) -> list[int]:
            return [await store.queries(EVERYTHING).count(self.inside(one)) for one in asked]

        self.both(each)

    @rule(
        where=st.none() | conditions,
        order=orders_asked,
        columns=st.sampled_from((*COLUMNS, *GROUPS)),
    )
    def select(self, where: Condition | None, order: Any, columns: Any) -> None:
        if is_grouped(columns) and "aggregate" not in self.store.capabilities:
            return
        what = Find(self.inside(where), query.orders(EVERYTHING, order))
        checked = query.columns(EVERYTHING, columns)
        self.both(lambda store: store.queries(EVERYTHING).select(what, checked))

    @invariant()
    def all_is_equal(self) -> None:
        what = Find(Everything.room == self.room, query.orders(EVERYTHING, []))
        self.both(lambda store: store.queries(EVERYTHING).find(what))
        type(self).steps -= 1

    def inside(self, where: Condition | None) -> Condition:
        mine = Everything.room == self.room
        return mine if where is None else mine & where


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Each store of records in turn."""
    return str(request.param)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The loop that all steps of a test run in: Hypothesis calls from outside of one."""
    with asyncio.Runner() as runner:
        yield runner


def drive(runner: asyncio.Runner, store: RecordStore) -> int:
    """Compare a store with memory; return how many steps that were."""

    class Machine(Breadth):
        pass

    Machine.runner, Machine.store, Machine.steps = runner, store, 0
    run_state_machine_as_test(Machine, settings=EXAMPLES)
    return Machine.steps


@pytest.mark.timeout(900)
def test_a_store_answers_as_memory_does_about_every_kind(
    store: str, url: str, namespace: str, runner: asyncio.Runner
) -> None:
    target = Target(store, url)
    making, opening = room(target, namespace, [EVERYTHING]), opened(target, namespace)
    runner.run(making.__aenter__())
    made = runner.run(opening.__aenter__())
    try:
        steps = drive(runner, made)
    finally:
        runner.run(opening.__aexit__(None, None, None))
        runner.run(making.__aexit__(None, None, None))

    assert steps >= STEPS


def test_memory_answers_as_itself_about_every_kind(runner: asyncio.Runner) -> None:
    assert drive(runner, MemoryStore(SYSTEM)) >= STEPS


async def test_keys_of_numbers_and_of_uuids_sort_as_they_do(
    store: str, url: str, namespace: str
) -> None:
    target, entities = Target(store, url), [COUNTED, MARKED]
    async with room(target, namespace, entities), opened(target, namespace) as made:
        counted = Repository(Counted, made, at=store)
        marked = Repository(Marked, made, at=store)
        for number in NUMBERS:
            await counted.put(Counted(id=number, room="r"))
        for mark in MARKS:
            await marked.put(Marked(id=mark, room="r"))

        below = await counted.find(Counted.room == "r", Counted.id < 9).all()
        down = await counted.find(Counted.room == "r").sort(Counted.id.desc()).page(2)
        rest = (
            await counted.find(Counted.room == "r")
            .sort(Counted.id.desc())
            .page(100, after=down.next)
        )
        above = await marked.find(Marked.room == "r", Marked.id > MARKS[1]).all()

        assert [each.id for each in below] == [-(2**63), -100, -99, -1, 0, 1]
        assert [each.id for each in down.items] == [2**63 - 1, 10]
        assert [each.id for each in rest.items] == [9, 1, 0, -1, -99, -100, -(2**63)]
        assert [each.id for each in above] == [*MARKS[2:]]
        assert await counted.get(-100) == Counted(id=-100, room="r")
        assert await marked.get(MARKS[4]) == Marked(id=MARKS[4], room="r")
