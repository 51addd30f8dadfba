"""The port `records` keeps its contract when it is measured; measuring costs next to nothing."""

import time
from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.errors import AlreadyExistsError, StateError, StoreError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.ports.capability import CAPABILITIES
from rightstore.ports.records import Change, Delete, Find, Put, Records, Stored
from rightstore.telemetry.records import MeasuredRecords, MeasuredStore
from rightstore.testing.contract.check import Check
from rightstore.testing.contract.suite import CHECKS

CALLS = 2_000
LIMIT = 3e-6


class Thing(Entity):
    id: Field[str]


class Nothing:
    """Implements port `Records` by doing nothing at all."""

    async def get(self, key: str) -> Stored | None: ...

    async def get_many(self, keys: Sequence[str]) -> list[Stored | None]:
        return []

    async def put(self, write: Put) -> int:
        return 0

    async def put_many(self, writes: Sequence[Put]) -> list[int | StateError | StoreError]:
        return []

    async def change(self, write: Change) -> Stored:
        raise NotImplementedError

    async def delete(self, write: Delete) -> int:
        return 0


@pytest.mark.parametrize(
    "check", [check for check in CHECKS if check.fits(CAPABILITIES)], ids=lambda check: check.name
)
async def test_a_measured_store_keeps_the_contract(check: Check) -> None:
    await check.run(MeasuredStore(MemoryStore(SYSTEM), "memory"))


async def test_every_operation_is_counted_with_its_outcome() -> None:
    store = MeasuredStore(MemoryStore(SYSTEM), "counted")
    thing = declaration_of(Thing)
    records, queries = store.records(thing), store.queries(thing)

    await records.put(Put("a", {"id": "a"}))
    with pytest.raises(AlreadyExistsError):
        await records.put(Put("a", {"id": "a"}))
    await queries.find(Find())
    await store.write([(thing, Put("b", {"id": "b"}))])

    counted = {
        (sample.labels["operation"], sample.labels["outcome"]): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "rightstore_store_operations_total"
        and sample.labels["store"] == "counted"
    }
    assert counted == {
        ("put", "ok"): 1,
        ("put", "refused"): 1,
        ("find", "ok"): 1,
        ("write", "ok"): 1,
    }


async def test_measuring_costs_under_three_microseconds_a_call() -> None:
    bare = Nothing()
    measured = MeasuredRecords(bare, "bare")

    cost = min([await spent(measured) - await spent(bare) for _ in range(30)])

    assert cost < LIMIT


async def spent(records: Records) -> float:
    """Return the processor's seconds of one call: another process beside us does not count."""
    began = time.thread_time()
    for _ in range(CALLS):
        await records.get("a")
    return (time.thread_time() - began) / CALLS
