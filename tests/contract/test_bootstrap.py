"""The port `bootstrap` on real servers, where the user of the tests may create users.

Elsewhere the start of the embedded stack proves it. It cannot catch a mongod that is not initiated
yet: there is none here.
"""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote, urlsplit

import asyncpg
import pytest
from pymongo import AsyncMongoClient
from tests.contract.conftest import CONNECT

from rightstore.adapters.mongodb.bootstrap import bootstrap as make_mongodb
from rightstore.adapters.postgres.bootstrap import bootstrap as make_postgres
from rightstore.clock import SYSTEM
from rightstore.errors import RejectedError
from rightstore.ports.bootstrap import Owner
from rightstore.ports.connection import Target

BOOTSTRAP = {"postgres": make_postgres, "mongodb": make_mongodb}
CANARY = "canary'7f\"3a %I"
MAY_CREATE = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
each_store = pytest.mark.parametrize("store", BOOTSTRAP, indirect=True)


@pytest.fixture
def owner(namespace: str) -> Owner:
    """An owner with names that must be quoted."""
    return Owner(f'{namespace}"Data', f'{namespace}"Owner', CANARY)


@pytest.fixture
async def admin(store: str, url: str, owner: Owner) -> AsyncIterator[Target]:
    """The user of the tests, if it may create users; what it creates is removed."""
    if store == "postgres":
        session = await asyncpg.connect(url)
        try:
            if not await session.fetchval(MAY_CREATE):
                pytest.skip("the user of POSTGRES_URL may not create users")
            yield Target(store, url)
            for kind, name in (("DATABASE", owner.database), ("ROLE", owner.user)):
                escaped = name.replace('"', '""')
                await session.execute(f'DROP {kind} IF EXISTS "{escaped}"')
        finally:
            await session.close()
        return
    async with AsyncMongoClient[Mapping[str, object]](url) as client:
        held = await client.admin.command({"usersInfo": 1}, check=False)
        if not held["ok"]:
            pytest.skip("the user of MONGODB_URL may not create users")
        yield Target(store, url)
        await client.admin.command({"dropUser": owner.user}, check=False)


def url_of(target: Target, owner: Owner) -> str:
    parts = urlsplit(target.url)
    netloc = f"{quote(owner.user)}:{quote(owner.password)}@{parts.netloc.rpartition('@')[2]}"
    path = "/" if target.store == "mongodb" else f"/{quote(owner.database)}"
    return parts._replace(netloc=netloc, path=path).geturl()


async def log_in(target: Target, owner: Owner) -> None:
    connection = CONNECT[target.store](Target(target.store, url_of(target, owner)), SYSTEM)
    try:
        await connection.open()
        await connection.ping()
    finally:
        await connection.close()


@each_store
async def test_the_owner_can_log_in(store: str, admin: Target, owner: Owner) -> None:
    await BOOTSTRAP[store](admin, owner)

    await log_in(admin, owner)


@each_store
async def test_a_second_time_it_gives_the_owner_the_new_password(
    store: str, admin: Target, owner: Owner
) -> None:
    later = Owner(owner.database, owner.user, f"{CANARY} again")
    await BOOTSTRAP[store](admin, owner)

    await BOOTSTRAP[store](admin, later)

    await log_in(admin, later)
    with pytest.raises(RejectedError):
        await log_in(admin, owner)


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
async def test_the_owner_of_postgres_has_its_database_and_nothing_else(
    store: str, admin: Target, owner: Owner
) -> None:
    await BOOTSTRAP[store](admin, owner)

    session = await asyncpg.connect(url_of(admin, owner))
    try:
        rights = await session.fetchrow(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls "
            "FROM pg_roles WHERE rolname = current_user"
        )
        assert rights is not None
        assert not any(rights)
        await session.execute("CREATE TABLE public.kept (id int)")
        await session.execute("CREATE SCHEMA more")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.execute("CREATE ROLE another")
    finally:
        await session.close()


@pytest.mark.parametrize("store", ["mongodb"], indirect=True)
async def test_the_owner_of_mongodb_may_use_any_database_and_create_no_user(
    store: str, admin: Target, owner: Owner, namespace: str
) -> None:
    await BOOTSTRAP[store](admin, owner)

    async with AsyncMongoClient[Mapping[str, object]](url_of(admin, owner)) as client:
        await client[namespace]["things"].insert_one({"_id": 1})
        await client[namespace].command({"collMod": "things", "validator": {}})
        async with await client.watch(max_await_time_ms=1):
            pass
        await client.drop_database(namespace)
        refused = await client.admin.command(
            {"createUser": "x", "pwd": "y", "roles": []}, check=False
        )

    assert not refused["ok"]
