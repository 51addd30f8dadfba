"""The outcome of a COMMIT whose reply is lost, on a real PostgreSQL: the exact ambiguous commit."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import pytest

from rightstore.testing.proxy import HOST, Proxy
from rightstore.testing.wait import until

pytestmark = pytest.mark.embedded


def address(url: str) -> tuple[str, int]:
    """Return where the server of a URL listens, as a proxy takes it."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = query.get("host", [unquote(parts.hostname or "")])[0]
    port = int(query.get("port", [parts.port or 5432])[0])
    return (f"{host}/.s.PGSQL.{port}", 0) if host.startswith("/") else (host, port)


@pytest.fixture
async def direct(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the truth, and an empty table."""
    connection = await asyncpg.connect(store_urls["postgres"])
    await connection.execute(f"CREATE SCHEMA {namespace}")
    await connection.execute(f"CREATE TABLE {namespace}.row (id int PRIMARY KEY)")
    yield connection
    await connection.execute(f"DROP SCHEMA {namespace} CASCADE")
    await connection.close()


@pytest.fixture
async def proxy(direct: asyncpg.Connection, store_urls: Mapping[str, str]) -> AsyncIterator[Proxy]:
    """A proxy before the server."""
    assert not direct.is_closed()
    async with Proxy(*address(store_urls["postgres"])) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy: Proxy, store_urls: Mapping[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """A connection through it."""
    connection = await asyncpg.connect(
        store_urls["postgres"], host=HOST, port=proxy.port, ssl=False
    )
    yield connection
    connection.terminate()


async def rows(direct: asyncpg.Connection, namespace: str) -> list[int]:
    # The name comes from the fixture, which makes it of letters and digits.
    found = await direct.fetch(f"SELECT id FROM {namespace}.row ORDER BY id")  # noqa: S608 - see above
    return [row["id"] for row in found]


async def insert(client: asyncpg.Connection, namespace: str) -> None:
    await client.execute("BEGIN")
    await client.execute(f"INSERT INTO {namespace}.row VALUES ($1)", 1)  # noqa: S608 - see rows


async def test_a_connection_that_dies_in_commit_hides_a_row_that_is_there(
    client: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    await insert(client, namespace)
    proxy.drop_replies_after(b"COMMIT")
    commit = asyncio.create_task(client.execute("COMMIT"))
    await until(lambda: proxy.to_client.dropped)
    assert not commit.done()

    proxy.reset()

    with pytest.raises((asyncpg.PostgresConnectionError, ConnectionError)):
        await commit
    assert await rows(direct, namespace) == [1]


async def test_a_commit_that_times_out_hides_a_row_that_is_there(
    client: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    await insert(client, namespace)
    proxy.drop_replies_after(b"COMMIT")

    with pytest.raises(TimeoutError):
        await client.execute("COMMIT", timeout=0.3)

    assert await rows(direct, namespace) == [1]


async def test_a_commit_in_a_parse_message_is_seen_too(
    client: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    await insert(client, namespace)
    proxy.drop_replies_after(b"COMMIT\x00")

    # A statement that is fetched goes through Parse, Bind and Execute. The reply to Parse is lost
    # as well, so the client never gets to Execute: here the row must not be there.
    with pytest.raises(TimeoutError):
        await client.fetch("COMMIT", timeout=0.3)

    assert proxy.marked.is_set()
    proxy.reset()
    assert await rows(direct, namespace) == []


async def test_a_commit_that_never_arrived_leaves_no_row(
    client: asyncpg.Connection, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    await insert(client, namespace)
    proxy.to_server.black_hole = True

    with pytest.raises(TimeoutError):
        await client.execute("COMMIT", timeout=0.3)

    assert await rows(direct, namespace) == []
