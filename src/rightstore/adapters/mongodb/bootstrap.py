"""Make a fresh MongoDB ready for its first owner, while it still lets everybody in."""

import asyncio
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from rightstore.adapters.mongodb.client import Client
from rightstore.adapters.mongodb.errors import translated
from rightstore.ports.bootstrap import Owner
from rightstore.ports.connection import Target

# Applications name their databases at run time and watch the whole cluster.
ROLES = ("readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor")
ALREADY_INITIALIZED = 23
USER_EXISTS = 51003


async def bootstrap(admin: Target, owner: Owner) -> None:
    """Make the server a replica set of one if it is to be one; create the owner or correct it."""
    with translated("bootstrap", at=admin.address):
        async with asyncio.timeout(admin.connect_timeout + admin.timeout):
            async with _client(admin, directConnection=True) as alone:
                await _initiate(alone, admin.address)
            async with _client(admin) as client:
                await _make(client, owner)


def _client(admin: Target, **options: Any) -> Client:
    return AsyncMongoClient(
        admin.url,
        appname="rightstore",
        connectTimeoutMS=admin.connect_timeout * 1000,
        serverSelectionTimeoutMS=admin.connect_timeout * 1000,
        socketTimeoutMS=admin.timeout * 1000,
        **options,
    )


async def _initiate(client: Client, address: str) -> None:
    hello = await client.admin.command("hello")
    if not hello.get("isreplicaset"):
        return  # a member already, or a server that was not started to be one
    told = await client.admin.command("getCmdLineOpts")
    replication = told["parsed"].get("replication", {})
    name = replication.get("replSet") or replication.get("replSetName")
    config = {"_id": name, "members": [{"_id": 0, "host": address}]}
    try:
        await client.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise


async def _make(client: Client, owner: Owner) -> None:
    """Wait for the primary (the driver does, before it writes), and make the user there."""
    rights = {"pwd": owner.password, "roles": [{"role": role, "db": "admin"} for role in ROLES]}
    try:
        await client.admin.command({"createUser": owner.user, **rights})
    except OperationFailure as error:
        if error.code != USER_EXISTS:
            raise
        await client.admin.command({"updateUser": owner.user, **rights})
