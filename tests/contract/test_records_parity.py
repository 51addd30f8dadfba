"""Every real store answers as memory does, whatever it is asked; a planted bug is found.

Two thousand steps a store where servers are required, fewer elsewhere.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.contract.parity import Parity
from tests.laws.store import STORES, opened, room

from rightstore.adapters.memory.records import MemoryRecords, MemoryStore
from rightstore.clock import SYSTEM
from rightstore.model.declaration import Declaration
from rightstore.ports.connection import Target
from rightstore.ports.records import Put, Records, RecordStore
from rightstore.testing.contract.sample import samples

THOROUGH = os.environ.get("REQUIRE_SERVERS") == "1"
STEPS = 2_000 if THOROUGH else 300
EXAMPLES = settings(
    max_examples=120 if THOROUGH else 20,
    stateful_step_count=30,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


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

    class Machine(Parity):
        pass

    Machine.runner, Machine.store, Machine.steps = runner, store, 0
    run_state_machine_as_test(Machine, settings=EXAMPLES)
    return Machine.steps


@pytest.mark.timeout(900)
def test_a_store_answers_as_memory_does(
    store: str, url: str, namespace: str, runner: asyncio.Runner
) -> None:
    target = Target(store, url)
    making = room(target, namespace, samples(frozenset()))
    opening = opened(target, namespace)
    runner.run(making.__aenter__())
    made = runner.run(opening.__aenter__())
    try:
        steps = drive(runner, made)
    finally:
        runner.run(opening.__aexit__(None, None, None))
        runner.run(making.__aexit__(None, None, None))

    assert steps >= STEPS


def test_memory_answers_as_itself(runner: asyncio.Runner) -> None:
    assert drive(runner, MemoryStore(SYSTEM)) >= STEPS


def test_a_bug_in_a_store_is_found(runner: asyncio.Runner) -> None:
    with pytest.raises(AssertionError):
        drive(runner, Blind())


class Blind(MemoryStore):
    """Puts over whatever is there."""

    def __init__(self) -> None:
        super().__init__(SYSTEM)

    def records(self, declaration: Declaration) -> Records:
        """Return records whose puts expect nothing."""
        return BlindRecords(declaration, self._table(declaration), SYSTEM)


class BlindRecords(MemoryRecords):
    """The bug."""

    async def put(self, write: Put) -> int:
        """Store the record, whatever its writer knew."""
        return await super().put(replace(write, expect="any"))
