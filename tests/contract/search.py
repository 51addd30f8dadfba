"""The stores of search that the tests of their port run on: a new adapter adds one line here."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from _pytest.mark import ParameterSet

from rightstore.adapters.memory.search import MemorySearch
from rightstore.adapters.opensearch.client import OpensearchConnection
from rightstore.adapters.opensearch.search import OpensearchSearch
from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.search import PostgresSearch
from rightstore.clock import SYSTEM
from rightstore.ports.connection import Target
from rightstore.ports.search import SEARCH_CAPABILITIES, SearchCapability, SearchStore

Build = Callable[[str, str], AbstractAsyncContextManager[SearchStore]]


@asynccontextmanager
async def memory(_: str, __: str) -> AsyncIterator[SearchStore]:
    yield MemorySearch(SYSTEM)


@asynccontextmanager
async def modest(_: str, __: str) -> AsyncIterator[SearchStore]:
    yield MemorySearch(SYSTEM, frozenset({"weights"}))


@asynccontextmanager
async def opensearch(url: str, namespace: str) -> AsyncIterator[SearchStore]:
    connection = OpensearchConnection(Target("opensearch", url), SYSTEM)
    await connection.open()
    try:
        yield OpensearchSearch(connection, namespace)
    finally:
        await connection.client.indices.delete(index=f"{namespace}-*")
        await connection.close()


@asynccontextmanager
async def postgres(url: str, namespace: str) -> AsyncIterator[SearchStore]:
    connection = PostgresConnection(Target("postgres", url), SYSTEM)
    await connection.open()
    try:
        yield PostgresSearch(connection, namespace)
    finally:
        await connection.pool.execute(f'DROP SCHEMA IF EXISTS "{namespace}" CASCADE')
        await connection.close()


# Each store: how to make one, and what it can do. `modest` shows that a lack is refused.
BUILDERS: Mapping[str, tuple[Build, frozenset[SearchCapability]]] = {
    "memory": (memory, SEARCH_CAPABILITIES),
    "modest": (modest, frozenset({"weights"})),
    "opensearch": (opensearch, SEARCH_CAPABILITIES),
    "postgres": (postgres, frozenset({"typos"})),
}
SERVERS = {"opensearch"}


def case(name: str, *values: object, id: str) -> ParameterSet:
    """Return a case of a store, marked when it needs a server of its own."""
    return pytest.param(name, *values, id=id, marks=pytest.mark.servers if name in SERVERS else ())


STORES = [case(name, id=name) for name in BUILDERS]
REAL = [case(name, id=name) for name in BUILDERS if name not in {"memory", "modest"}]


@pytest.fixture(name="url")
def url_of(store: str, request: pytest.FixtureRequest) -> str:
    """Where the store's server is; nowhere for those in this process."""
    if store in {"memory", "modest"}:
        return ""
    urls: Mapping[str, str] = request.getfixturevalue("store_urls")
    if store not in urls:
        message = f"no {store} server: set {store.upper()}_URL, or run `make test-servers`"
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return urls[store]
