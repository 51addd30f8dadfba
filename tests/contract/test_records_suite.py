"""The port `records` on every store of records: a new adapter adds one line to `BUILDERS`.

What each group of checks cannot catch is said at the top of its module in testing/contract. That
they can fail is shown in test_records_mutant.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.ports.capability import CAPABILITIES, Capability
from rightstore.ports.records import RecordStore
from rightstore.testing.contract.check import Check
from rightstore.testing.contract.suite import CHECKS

Build = Callable[[], AbstractAsyncContextManager[RecordStore]]


@asynccontextmanager
async def memory() -> AsyncIterator[RecordStore]:
    yield MemoryStore(SYSTEM)


# Each store: how to make one with room for the samples, and what it can do.
BUILDERS: Mapping[str, tuple[Build, frozenset[Capability]]] = {
    "memory": (memory, CAPABILITIES),
}
CASES = [
    pytest.param(name, check, id=f"{name}-{check.name}")
    for name, (_, capabilities) in BUILDERS.items()
    for check in CHECKS
    if check.fits(capabilities)
]


@pytest.fixture
def store() -> str:
    """Only what follows a parameter has another store."""
    return "memory"


@pytest.mark.parametrize(("store", "check"), CASES)
async def test_a_store_of_records_keeps_the_contract(store: str, check: Check) -> None:
    build, _ = BUILDERS[store]

    async with build() as opened:
        await check.run(opened)


@pytest.mark.parametrize("store", BUILDERS)
async def test_a_store_declares_what_it_can_do(store: str) -> None:
    build, capabilities = BUILDERS[store]

    async with build() as opened:
        assert opened.capabilities == capabilities


async def test_the_checks_share_a_store_without_disturbing_each_other() -> None:
    async with memory() as opened:
        for _ in range(2):
            for check in CHECKS:
                if check.fits(CAPABILITIES):
                    await check.run(opened)


def test_the_names_of_the_checks_differ() -> None:
    names = [check.name for check in CHECKS]

    assert len(set(names)) == len(names)
