"""The port `records` on every store of records: a new adapter adds one line to `BUILDERS`.

What each group of checks cannot catch is said at the top of its module in testing/contract. That
they can fail is shown in test_records_mutant.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from tests.contract.records_dynamodb import CAN, dynamodb
from tests.contract.records_mongodb import CAN as MONGODB_CAN
from tests.contract.records_mongodb import mongodb
from tests.contract.records_postgres import postgres

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.ports.capability import CAPABILITIES, Capability
from rightstore.ports.records import RecordStore
from rightstore.testing.contract.check import Check
from rightstore.testing.contract.suite import CHECKS

Urls = Mapping[str, str]
Build = Callable[[Urls], AbstractAsyncContextManager[RecordStore]]


@asynccontextmanager
async def memory(_: Urls) -> AsyncIterator[RecordStore]:
    yield MemoryStore(SYSTEM)


# Each store: how to make one with room for the samples, given where the servers are, and what it
# can do.
BUILDERS: Mapping[str, tuple[Build, frozenset[Capability]]] = {
    "memory": (memory, CAPABILITIES),
    "postgres": (postgres, CAPABILITIES),
    "mongodb": (mongodb, MONGODB_CAN),
    "dynamodb": (dynamodb, CAN),
}
# What no embedded stack has.
MARKS: Mapping[str, pytest.MarkDecorator] = {"dynamodb": pytest.mark.servers}
STORES = [pytest.param(name, marks=MARKS.get(name, ())) for name in BUILDERS]
CASES = [
    pytest.param(name, check, id=f"{name}-{check.name}", marks=MARKS.get(name, ()))
    for name, (_, capabilities) in BUILDERS.items()
    for check in CHECKS
    if check.fits(capabilities)
]


@pytest.fixture
def store() -> str:
    """Only what follows a parameter has another store."""
    return "memory"


@pytest.fixture
def urls(store: str, request: pytest.FixtureRequest) -> Urls:
    """Where the servers are."""
    return urls_of(store, request)


def urls_of(store: str, request: pytest.FixtureRequest) -> Urls:
    """Return where the servers are, without starting any for memory; skip where one is missing."""
    found: Urls = {} if store == "memory" else request.getfixturevalue("store_urls")
    if store != "memory" and store not in found:
        message = f"no {store} server: set {store.upper()}_URL, or run `make test-servers`"
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.mark.parametrize(("store", "check"), CASES)
async def test_a_store_of_records_keeps_the_contract(store: str, check: Check, urls: Urls) -> None:
    build, _ = BUILDERS[store]

    async with build(urls) as opened:
        await check.run(opened)


@pytest.mark.parametrize("store", STORES)
async def test_a_store_declares_what_it_can_do(store: str, urls: Urls) -> None:
    build, capabilities = BUILDERS[store]

    async with build(urls) as opened:
        assert opened.capabilities == capabilities


async def test_the_checks_share_a_store_without_disturbing_each_other() -> None:
    async with memory({}) as opened:
        for _ in range(2):
            for check in CHECKS:
                if check.fits(CAPABILITIES):
                    await check.run(opened)


def test_the_names_of_the_checks_differ() -> None:
    names = [check.name for check in CHECKS]

    assert len(set(names)) == len(names)
