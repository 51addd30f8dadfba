"""What every contract needs: the adapter of each store, its server's URL and a proxy before it."""

import os
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from rightstore.adapters.dynamodb.client import connect as dynamodb
from rightstore.adapters.mongodb.client import connect as mongodb
from rightstore.adapters.opensearch.client import connect as opensearch
from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.rabbitmq.client import connect as rabbitmq
from rightstore.adapters.redis.client import connect as redis
from rightstore.clock import SYSTEM
from rightstore.ports.connection import Connection, Target
from rightstore.testing.detour import before, by_way_of
from rightstore.testing.proxy import Proxy

CONNECT: Mapping[str, Callable[..., Connection]] = {
    "postgres": postgres,
    "mongodb": mongodb,
    "redis": redis,
    "dynamodb": dynamodb,
    "opensearch": opensearch,
    "rabbitmq": rabbitmq,
}
PATIENCE = 1.0
Make = Callable[[str], Connection]


@pytest.fixture(params=CONNECT)
def store(request: pytest.FixtureRequest) -> str:
    """Each store in turn."""
    return str(request.param)


@pytest.fixture
def url(store: str, store_urls: Mapping[str, str]) -> str:
    """Where the store's server is."""
    if store not in store_urls:
        message = f"no {store} server: set {store.upper()}_URL, or run `make test-servers`"
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return store_urls[store]


@pytest.fixture
async def make(store: str) -> AsyncIterator[Make]:
    """Make an impatient connection to a URL, and close it after the test."""
    made: list[Connection] = []

    def build(url: str) -> Connection:
        target = Target(store, url, connect_timeout=PATIENCE, timeout=PATIENCE)
        made.append(CONNECT[store](target, SYSTEM))
        return made[-1]

    yield build
    for connection in made:
        await connection.close()


@pytest.fixture
async def proxy(url: str) -> AsyncIterator[Proxy]:
    """A proxy before the store's server."""
    async with before(url) as proxy:
        yield proxy


@pytest.fixture
def proxied(url: str, proxy: Proxy) -> str:
    """The URL of the proxy, for the user and the database of the store's own URL."""
    return by_way_of(proxy, url)
