"""The schema belongs to its owner: the service reads and writes rows, and one process applies."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table
from tests.contract.role import lesser

from rightstore.adapters.postgres.client import connect
from rightstore.adapters.postgres.exclusion import PostgresExclusion
from rightstore.adapters.postgres.grant import PostgresGrants
from rightstore.adapters.postgres.migration import PostgresTables
from rightstore.clock import SYSTEM
from rightstore.errors import InProgressError
from rightstore.patterns.schema.apply import Permission, Progress, apply
from rightstore.ports.connection import Target
from rightstore.ports.schema import Structure


@pytest.fixture
def store() -> str:
    """Only PostgreSQL has users of its own here."""
    return "postgres"


@pytest.fixture
def owner(store_urls: Mapping[str, str]) -> Target:
    return Target("postgres", store_urls["postgres"])


@pytest.fixture
async def service(owner: Target, namespace: str) -> AsyncIterator[Target]:
    """The same database for a user that owns nothing."""
    async with lesser(owner.url, namespace) as url:
        yield Target("postgres", url, lock_timeout=0.1)


def models(*names: str) -> MetaData:
    metadata = MetaData()
    for name in names:
        Table(name, metadata, Column("id", Integer, primary_key=True), Column("n", Integer))
    return metadata


def silent(_: Progress) -> None: ...


async def make(owner: Target, service: Target, namespace: str, tables: MetaData) -> list[str]:
    """Do what `schema apply` does as the owner; return what was planned."""
    connection = connect(owner, SYSTEM)
    structures: list[Structure] = [
        PostgresGrants(connection, namespace, SYSTEM, service=service),
        PostgresTables(connection, namespace, SYSTEM, models=[tables]),
    ]
    done = (await apply(structures, Permission(), report=silent)).done
    return [f"{step.subject}: {step.action}" for step in done]


async def test_the_service_reads_and_writes_rows_and_changes_no_structure(
    owner: Target, service: Target, namespace: str
) -> None:
    done = await make(owner, service, namespace, models("orders"))
    again = await make(owner, service, namespace, models("orders"))
    later = await make(owner, service, namespace, models("orders", "payments"))

    lesser = await asyncpg.connect(service.url, server_settings={"search_path": namespace})
    await lesser.execute("INSERT INTO orders (n) VALUES (1); INSERT INTO payments (n) VALUES (1)")
    await lesser.execute("UPDATE orders SET n = 2; DELETE FROM payments; SELECT * FROM orders")
    for statement in ("CREATE TABLE mine ()", "DROP TABLE orders", "TRUNCATE orders"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await lesser.execute(statement)
    await lesser.close()
    assert done[:2] == [
        f"schema {namespace}: create it",
        f"user {namespace}_service: let it read and write rows here",
    ]
    assert again == []
    assert later == ["table payments: create the table"]


async def test_an_owner_who_is_the_service_grants_nothing(owner: Target, namespace: str) -> None:
    grants = PostgresGrants(connect(owner, SYSTEM), namespace, SYSTEM, service=owner)

    steps = await grants.plan()

    assert steps == []


async def test_one_process_applies_and_the_other_waits_and_says_for_whom(
    owner: Target, namespace: str
) -> None:
    one, other = (PostgresExclusion(connect(owner, SYSTEM), namespace, SYSTEM) for _ in range(2))
    told: list[str] = []
    order: list[str] = []
    waits = asyncio.Event()

    def waiting(who: str) -> None:
        told.append(who)
        waits.set()

    async def second() -> None:
        async with other.hold(f"schema of {namespace}", within=20, waiting=waiting):
            order.append("second")

    async with one.hold(f"schema of {namespace}", within=5, waiting=told.append):
        task = asyncio.create_task(second())
        await asyncio.wait_for(waits.wait(), 10)
        order.append("first")
    await asyncio.wait_for(task, 10)

    assert order == ["first", "second"]
    assert len(told) == 1
    assert told[0].startswith(f"rightstore schema of {namespace}: waiting for rightstore ")
    assert "pid " in told[0]


async def test_who_waits_too_long_is_told_who_holds_it(owner: Target, namespace: str) -> None:
    one, other = (PostgresExclusion(connect(owner, SYSTEM), namespace, SYSTEM) for _ in range(2))

    async with one.hold(f"schema of {namespace}", within=5, waiting=print):
        with pytest.raises(InProgressError) as refused:
            async with other.hold(f"schema of {namespace}", within=0.1, waiting=quiet):
                pytest.fail("both hold it")

    assert "was not done after 0.1 s" in str(refused.value)
    assert "(" in str(refused.value)


async def test_a_right_ends_with_the_connection_that_had_it(owner: Target, namespace: str) -> None:
    one, other = (PostgresExclusion(connect(owner, SYSTEM), namespace, SYSTEM) for _ in range(2))

    async def killed() -> Any:
        async with one.hold(f"schema of {namespace}", within=5, waiting=quiet):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await killed()

    async with other.hold(f"schema of {namespace}", within=5, waiting=quiet):
        held = True
    assert held


def quiet(_: str) -> None: ...
