"""L1 for transactions: what a block reports after a lost COMMIT reply is what is in the table.

It cannot catch a server that lies, nor one that is replaced by a replica without the transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
import pytest
from sqlalchemy import text
from tests.faults.test_proxy_commit import address, rows

from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.relational import PostgresRelational
from rightstore.clock import SYSTEM
from rightstore.errors import StoreError
from rightstore.ports.connection import Target
from rightstore.testing.proxy import HOST, Proxy
from rightstore.testing.wait import until

pytestmark = pytest.mark.embedded
PATIENCE = 0.6
HOLDERS = (
    "SELECT count(*) FROM pg_locks WHERE relation = $1::text::regclass AND pid <> pg_backend_pid()"
)
SLOW_COMMIT = """
CREATE FUNCTION "{name}".slow() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON "{name}".row DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION "{name}".slow()
"""
COMMITTING = """
SELECT count(*) FROM pg_stat_activity
WHERE query = 'COMMIT;' AND wait_event = 'PgSleep' AND application_name = 'rightstore'
"""
INSERT = text("INSERT INTO row VALUES (:id)")


@pytest.fixture
async def direct(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the truth, and an empty table."""
    connection = await asyncpg.connect(store_urls["postgres"])
    await connection.execute(f'CREATE SCHEMA "{namespace}"')
    await connection.execute(f'CREATE TABLE "{namespace}".row (id int PRIMARY KEY)')
    yield connection
    await connection.execute(f'DROP SCHEMA "{namespace}" CASCADE')
    await connection.close()


@pytest.fixture
async def proxy(direct: asyncpg.Connection, store_urls: Mapping[str, str]) -> AsyncIterator[Proxy]:
    """A proxy before the server."""
    assert not direct.is_closed()
    async with Proxy(*address(store_urls["postgres"])) as proxy:
        yield proxy


@pytest.fixture
async def relational(
    proxy: Proxy, store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[PostgresRelational]:
    """Transactions through the proxy, with a connection that is open already."""
    parts = urlsplit(store_urls["postgres"])
    query = {name: value for name, value in parse_qsl(parts.query) if name not in ("host", "port")}
    userinfo = parts.netloc.rpartition("@")[0]
    url = f"postgresql://{userinfo}@{HOST}:{proxy.port}{parts.path}?{urlencode(query)}"
    target = Target("postgres", url, connect_timeout=PATIENCE, timeout=PATIENCE)
    made = PostgresRelational(postgres(target, SYSTEM), namespace, SYSTEM)
    async with made.reading() as session:
        await session.execute(text("SELECT 1"))
    yield made
    await made.close()


async def insert(relational: PostgresRelational, row: int = 1) -> None:
    async with relational.transaction() as unit:
        await unit.session.execute(INSERT, {"id": row})


async def test_a_commit_whose_answer_never_comes_is_found_to_be_done(
    relational: PostgresRelational, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    proxy.drop_replies_after(b"COMMIT;")

    await insert(relational)

    assert proxy.marked.is_set()
    assert await rows(direct, namespace) == [1]


async def test_a_commit_whose_connection_breaks_is_found_to_be_done(
    relational: PostgresRelational, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    proxy.drop_replies_after(b"COMMIT;")
    inserting = asyncio.create_task(insert(relational))
    await until(lambda: proxy.to_client.dropped)

    proxy.reset()

    await inserting
    assert await rows(direct, namespace) == [1]


async def test_a_commit_that_never_arrived_is_not_applied_and_never_will_be(
    relational: PostgresRelational, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    with pytest.raises(StoreError) as caught:
        await insert_with_commit_lost(relational, proxy)

    assert caught.value.outcome == "not applied"
    assert await rows(direct, namespace) == []
    # Nobody is left who could still do it.
    held = await direct.fetchval(HOLDERS, f'"{namespace}".row')
    assert held == 0


async def insert_with_commit_lost(relational: PostgresRelational, proxy: Proxy) -> None:
    """Lose what is sent from the COMMIT on, while the socket at the server stays open."""
    # A claim tells the id of the transaction with its first statement, so nothing but the COMMIT
    # is left to send.
    async with relational.transaction(claim="c") as unit:
        await unit.session.execute(INSERT, {"id": 1})
        losing = asyncio.create_task(lose(proxy))
    await losing


async def lose(proxy: Proxy) -> None:
    """Swallow the bytes of the connection, the COMMIT among them, then let new ones through."""
    proxy.to_server.black_hole = True
    await until(lambda: proxy.to_server.dropped)
    await proxy.heal()


async def test_what_cannot_be_learned_in_time_stays_unknown(
    relational: PostgresRelational, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    proxy.drop_replies_after(b"COMMIT;")
    inserting = asyncio.create_task(insert(relational))
    await until(lambda: proxy.to_client.dropped)

    proxy.refuse()
    proxy.reset()

    with pytest.raises(StoreError) as caught:
        await inserting
    assert caught.value.outcome == "unknown"
    assert await rows(direct, namespace) == [1]


async def test_a_statement_whose_answer_is_lost_is_not_applied(
    relational: PostgresRelational, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    proxy.drop_replies_after(b"INSERT")
    inserting = asyncio.create_task(insert(relational))
    await until(lambda: proxy.to_client.dropped)

    proxy.reset()

    with pytest.raises(StoreError) as caught:
        await inserting
    assert caught.value.outcome == "not applied"
    assert await rows(direct, namespace) == []


async def test_a_cancellation_in_the_commit_is_kept_until_the_commit_is_over(
    relational: PostgresRelational, direct: asyncpg.Connection, proxy: Proxy, namespace: str
) -> None:
    await direct.execute(SLOW_COMMIT.format(name=namespace))
    inserting = asyncio.create_task(insert(relational))
    while not await direct.fetchval(COMMITTING):
        assert not inserting.done()

    inserting.cancel()
    await asyncio.wait([inserting])

    assert inserting.cancelled()
    assert await rows(direct, namespace) == [1]
    # The connection is sound and stays in the pool.
    before = proxy.accepted
    await insert(relational, 2)
    assert proxy.accepted == before
    assert await rows(direct, namespace) == [1, 2]
