"""L1 for rows by key: every caller of a batch is told what is in the table, though it is lost.

It cannot catch a server that lies, nor one that is replaced by a replica without the transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tests.faults.test_proxy_commit import address

from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.relational import PostgresRelational
from rightstore.adapters.postgres.row import PostgresRows
from rightstore.adapters.postgres.session import Limits
from rightstore.clock import SYSTEM
from rightstore.errors import StoreError
from rightstore.ports.connection import Target
from rightstore.table.track import track
from rightstore.table.versioned import Versioned
from rightstore.testing.proxy import HOST, Proxy
from rightstore.testing.wait import until

pytestmark = pytest.mark.embedded
PATIENCE = 0.6
CALLERS = 20


class Base(DeclarativeBase):
    pass


class Ticket(Versioned, Base):
    __tablename__ = "tickets"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[str]


@pytest.fixture
async def direct(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the truth, and an empty table."""
    connection = await asyncpg.connect(
        store_urls["postgres"], server_settings={"search_path": f'"{namespace}"'}
    )
    await connection.execute(f'CREATE SCHEMA "{namespace}"')
    await connection.execute(
        "CREATE TABLE tickets"
        " (id int PRIMARY KEY, holder text NOT NULL, version bigint NOT NULL DEFAULT 1)"
    )
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
async def tickets(
    proxy: Proxy, store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[PostgresRows[Ticket]]:
    """Rows through the proxy, by lanes that are connected already."""
    parts = urlsplit(store_urls["postgres"])
    query = {name: value for name, value in parse_qsl(parts.query) if name not in ("host", "port")}
    userinfo = parts.netloc.rpartition("@")[0]
    url = f"postgresql://{userinfo}@{HOST}:{proxy.port}{parts.path}?{urlencode(query)}"
    target = Target("postgres", url, connect_timeout=PATIENCE, timeout=PATIENCE)
    made = PostgresRelational(
        postgres(target, SYSTEM), namespace, SYSTEM, limits=Limits(statement=0.5)
    )
    rows = made.rows(track(Ticket))
    await asyncio.gather(*(rows.put(Ticket(id=-n, holder="warm")) for n in (1, 2)))
    yield rows
    await made.close()


def put_all(tickets: PostgresRows[Ticket]) -> "list[asyncio.Task[Ticket]]":
    return [asyncio.create_task(tickets.put(Ticket(id=n, holder=f"h{n}"))) for n in range(CALLERS)]


async def stored(direct: asyncpg.Connection) -> set[int]:
    return {row["id"] for row in await direct.fetch("SELECT id FROM tickets WHERE id >= 0")}


async def test_a_batch_whose_commit_is_not_answered_is_found_to_be_done(
    tickets: PostgresRows[Ticket], direct: asyncpg.Connection, proxy: Proxy
) -> None:
    proxy.drop_replies_after(b"COMMIT;")
    puts = put_all(tickets)
    await until(lambda: proxy.to_client.dropped)

    proxy.reset()

    ends = await asyncio.gather(*puts)
    assert proxy.marked.is_set()
    assert [end.holder for end in ends] == [f"h{n}" for n in range(CALLERS)]
    assert await stored(direct) == set(range(CALLERS))


async def test_a_batch_whose_commit_never_arrived_is_not_applied_for_each_of_it(
    tickets: PostgresRows[Ticket], direct: asyncpg.Connection, proxy: Proxy
) -> None:
    # Another insert of the same key lets the batch wait in the server until nothing but its COMMIT
    # is left to send.
    other = direct.transaction()
    await other.start()
    await direct.execute("INSERT INTO tickets VALUES (7, 'other', 1)")
    puts = put_all(tickets)
    await waits(direct)
    proxy.to_server.black_hole = True
    await other.rollback()
    await until(lambda: proxy.to_server.dropped)
    await proxy.heal()

    ends = await asyncio.gather(*puts, return_exceptions=True)

    assert [getattr(end, "outcome", "done") for end in ends] == ["not applied"] * CALLERS
    assert len({id(end) for end in ends}) == CALLERS
    assert await stored(direct) == set()


async def waits(direct: asyncpg.Connection) -> None:
    """Wait until somebody waits for this connection's transaction."""
    deadline = SYSTEM.monotonic() + 5
    while not await direct.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        assert SYSTEM.monotonic() < deadline
        await SYSTEM.sleep(0.005)


async def test_a_batch_whose_statement_is_not_answered_is_not_applied(
    tickets: PostgresRows[Ticket], direct: asyncpg.Connection, proxy: Proxy
) -> None:
    # BEGIN is answered, and nothing after it.
    proxy.drop_replies_after(b"BEGIN")
    puts = put_all(tickets)
    await until(lambda: proxy.to_client.dropped)

    proxy.marker = None
    proxy.reset()

    ends = await asyncio.gather(*puts, return_exceptions=True)
    done = {n for n, end in enumerate(ends) if isinstance(end, Ticket)}
    outcomes = {end.outcome for end in ends if isinstance(end, StoreError)}
    # A connection that was lost at BEGIN is made anew, once: all of it may well be done.
    assert outcomes <= {"not applied"}
    assert await stored(direct) == done


async def test_what_cannot_be_learned_in_time_stays_unknown(
    tickets: PostgresRows[Ticket], direct: asyncpg.Connection, proxy: Proxy
) -> None:
    proxy.drop_replies_after(b"COMMIT;")
    puts = put_all(tickets)
    await until(lambda: proxy.to_client.dropped)

    proxy.refuse()
    proxy.reset()

    ends = await asyncio.gather(*puts, return_exceptions=True)
    assert {getattr(end, "outcome", "done") for end in ends} == {"unknown"}
    assert await stored(direct) == set(range(CALLERS))
