"""L21: transactions show no anomaly that their level, REPEATABLE READ, forbids.

Eight clients append to a few lists and read them, each through `transaction()`, some with a
statement that appends in the server, some by what they read. The histories go to a small Elle.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.relational import PostgresRelational
from rightstore.clock import SYSTEM
from rightstore.errors import StateError, StoreError
from rightstore.ports.connection import Target
from tests.laws.elle import Append, Read, Transaction, anomalies

pytestmark = pytest.mark.embedded
CLIENTS, ROUNDS, KEYS = 8, 40, 4
READ = text("SELECT items FROM lists WHERE key = :key")
APPEND = text("UPDATE lists SET items = items || :value WHERE key = :key")
WRITE = text("UPDATE lists SET items = :items WHERE key = :key")


@pytest.fixture
async def direct(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the truth, and empty lists."""
    connection = await asyncpg.connect(
        store_urls["postgres"], server_settings={"search_path": f'"{namespace}"'}
    )
    await connection.execute(f'CREATE SCHEMA "{namespace}"')
    await connection.execute("CREATE TABLE lists (key int PRIMARY KEY, items int[] NOT NULL)")
    await connection.executemany(
        "INSERT INTO lists VALUES ($1, '{}')", [(key,) for key in range(KEYS)]
    )
    yield connection
    await connection.execute(f'DROP SCHEMA "{namespace}" CASCADE')
    await connection.close()


@pytest.fixture
async def relational(
    direct: asyncpg.Connection, store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[PostgresRelational]:
    assert not direct.is_closed()
    target = Target("postgres", store_urls["postgres"], pool_max=CLIENTS)
    made = PostgresRelational(postgres(target, SYSTEM), namespace, SYSTEM)
    yield made
    await made.close()


class Client:
    """One client, and what it lived through."""

    def __init__(self, number: int, relational: PostgresRelational) -> None:
        self.history: list[Transaction] = []
        self._number, self._relational = number, relational
        self._random = random.Random(number)  # noqa: S311 - no secret

    async def run(self) -> None:
        for turn in range(ROUNDS):
            transaction = Transaction(self._number * ROUNDS + turn)
            self.history.append(transaction)
            try:
                async with self._relational.transaction() as unit:
                    for step in range(self._random.randint(2, 5)):
                        await self._step(unit.session, transaction, step)
            except StateError:
                transaction.end = "fail"
            except StoreError as error:
                transaction.end = "fail" if error.outcome == "not applied" else "unknown"
            else:
                transaction.end = "ok"

    async def _step(self, session: AsyncSession, transaction: Transaction, step: int) -> None:
        key = self._random.randrange(KEYS)
        value = transaction.number * 10 + step
        kind = self._random.choice(("read", "read", "append", "write"))
        if kind == "append":
            await session.execute(APPEND, {"key": key, "value": value})
        else:
            items = tuple(await session.scalar(READ, {"key": key}) or ())
            transaction.did.append(Read(key, items))
        if kind == "write":
            await session.execute(WRITE, {"key": key, "items": [*items, value]})
        if kind != "read":
            transaction.did.append(Append(key, value))


async def test_histories_of_concurrent_transactions_show_nothing_forbidden(
    relational: PostgresRelational, direct: asyncpg.Connection
) -> None:
    clients = [Client(number, relational) for number in range(CLIENTS)]

    await asyncio.gather(*(client.run() for client in clients))

    history = [transaction for client in clients for transaction in client.history]
    rows = await direct.fetch("SELECT key, items FROM lists")
    final = {row["key"]: tuple(row["items"]) for row in rows}
    assert anomalies(history, final) == []
    ends = [transaction.end for transaction in history]
    # There was something to find: some were in each other's way, and many came through.
    assert ends.count("fail") > 10
    assert ends.count("ok") > 50
