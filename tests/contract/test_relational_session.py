"""What one transaction does to its session is gone for the next one on the same connection."""

from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy import text

from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.relational import PostgresRelational
from rightstore.adapters.postgres.session import outlasts
from rightstore.clock import SYSTEM
from rightstore.ports.connection import Target

STATE = text(
    "SELECT current_setting('statement_timeout'), current_setting('search_path'),"
    " current_setting('app.tenant', true) IN ('mine', 'ours'), to_regclass('pg_temp.mine')::text,"
    " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
)
WHO = text("SELECT pg_backend_pid()")


@pytest.fixture
def store() -> str:
    """Only PostgreSQL has this port."""
    return "postgres"


@pytest.fixture
async def relational(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[PostgresRelational]:
    """Transactions that all use one connection."""
    target = Target("postgres", store_urls["postgres"], pool_max=1)
    made = PostgresRelational(postgres(target, SYSTEM), namespace, SYSTEM)
    yield made
    await made.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SET statement_timeout = 0",
        "/* why */ set search_path = pg_catalog",
        "-- why\nSET ROLE NONE",
        "SET SESSION app.tenant = 'mine'",
        "SELECT set_config('app.tenant', 'ours', false)",
        "SELECT pg_advisory_lock(42)",
        "SELECT pg_try_advisory_lock_shared(42)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE TEMP TABLE mine AS SELECT 1",
        "DO $$ BEGIN SET statement_timeout = 0; END $$",
        "LISTEN mine",
    ],
)
async def test_the_next_transaction_finds_the_session_as_it_was(
    relational: PostgresRelational, statement: str
) -> None:
    async with relational.transaction() as unit:
        before = (await unit.session.execute(STATE)).one()

    async with relational.transaction() as unit:
        await unit.session.execute(text(statement))

    async with relational.transaction() as unit:
        assert (await unit.session.execute(STATE)).one() == before


async def test_what_ends_with_its_transaction_costs_no_connection(
    relational: PostgresRelational,
) -> None:
    pids = set()

    for statement in (
        "SET LOCAL statement_timeout = '5s'",
        "SELECT pg_advisory_xact_lock(42)",
        "SET CONSTRAINTS ALL DEFERRED",
    ):
        async with relational.transaction() as unit:
            await unit.session.execute(text(statement))
            pids.add(await unit.session.scalar(WHO))

    assert len(pids) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET status = 'paid'",
        "UPDATE orders\nSET status = 'paid'",
        "SELECT temp, hold, call FROM listen",
        "INSERT INTO temperatures VALUES ($1)",
    ],
)
def test_an_ordinary_statement_leaves_nothing(statement: str) -> None:
    assert not outlasts(statement)
