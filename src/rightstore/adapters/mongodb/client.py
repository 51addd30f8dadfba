"""A client of MongoDB. It knows no collection and no record."""

import asyncio
import ssl
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from pymongo import AsyncMongoClient
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    InvalidURI,
    NetworkTimeout,
    ServerSelectionTimeoutError,
)

from rightstore.adapters.mongodb.errors import DRIVER_ERRORS, translated
from rightstore.clock import Clock
from rightstore.errors import UsageError
from rightstore.ports.connection import Pong, Target

Client: TypeAlias = AsyncMongoClient[dict[str, Any]]
Command: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = tuple[dict[str, Any], float]
# A server with users answers `buildInfo` to everybody, but this only to one of them.
FOR_USERS = {"listDatabases": 1, "nameOnly": True, "authorizedDatabases": True}
BUILD_INFO = {"buildInfo": 1}
# What the embedded server adds to its answer to it.
EMBEDDED = "secantusVersion"


def connect(target: Target, clock: Clock) -> "MongodbConnection":
    """Make a connection without I/O; UsageError when the URL has no meaning."""
    target.parts("mongodb", "mongodb+srv")
    return MongodbConnection(target, clock)


class MongodbConnection:
    """MongoDB, connected."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._clock = clock
        self._client: Client | None = None

    @property
    def store(self) -> str:
        """The name of the store."""
        return "mongodb"

    @property
    def client(self) -> Client:
        """The client of the driver, for this room only."""
        if self._client is None:
            raise UsageError("mongodb is not open: await open() first")
        return self._client

    async def open(self) -> None:
        """Find the primary and log in."""
        if self._client is not None:
            raise UsageError("mongodb is open already: open it once, and close it before the next")
        client = self._create()
        try:
            with translated("open", at=self.target.address, outcome="not applied"):
                await self._within(self.target.connect_timeout, client, FOR_USERS)
        except BaseException:
            await self._let_go(client)
            raise
        self._client = client

    async def ping(self) -> Pong:
        """Send one command to the primary."""
        client = self.client
        with translated("ping", at=self.target.address, outcome="not applied"):
            info, latency = await self._within(self.target.timeout, client, BUILD_INFO)
        return Pong(str(info["version"]), latency)

    async def close(self) -> None:
        """Close every socket; a server that is silent is left without a goodbye."""
        client, self._client = self._client, None
        if client is not None:
            await self._let_go(client)

    def _create(self) -> Client:
        options: dict[str, Any] = {
            "appname": "rightstore",
            "uuidRepresentation": "standard",
            "tz_aware": True,
            "maxPoolSize": self.target.pool_max,
            "connectTimeoutMS": self.target.connect_timeout * 1000,
            "serverSelectionTimeoutMS": self.target.connect_timeout * 1000,
            "socketTimeoutMS": self.target.timeout * 1000,
            "waitQueueTimeoutMS": self.target.timeout * 1000,
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a misspelt option is only warned of otherwise
                return AsyncMongoClient(self.target.url, **options)
        except (InvalidURI, ConfigurationError, ValueError, TypeError, Warning) as error:
            kind = type(error).__name__
        # Outside of the handler: the text of the driver may quote the URL.
        raise UsageError(
            f"MONGODB_URL is not accepted ({kind}): correct its options, and percent-encode "
            "special characters of the user and the password"
        )

    async def _within(self, seconds: float, client: Client, command: Command) -> Answer:
        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._ask(client, command)
                except (NetworkTimeout, ServerSelectionTimeoutError):
                    raise
                except AutoReconnect:
                    # The pooled connection was of a server that is gone: the driver dropped it.
                    return await self._ask(client, command)
        except (TimeoutError, ServerSelectionTimeoutError) as error:
            raise _met(client) or error from error

    async def _ask(self, client: Client, command: Command) -> Answer:
        before = self._clock.monotonic()
        answer = await client.admin.command(dict(command))
        return answer, self._clock.monotonic() - before

    async def _let_go(self, client: Client) -> None:
        # The driver first says goodbye to the server, which may be silent: the second time, when
        # it was interrupted in that, it goes on from there.
        for _attempt in range(2):
            with suppress(*DRIVER_ERRORS):
                async with asyncio.timeout(self.target.timeout / 2):
                    await client.close()
                    break


def _met(client: Client) -> BaseException | None:
    """Return what kept the driver from every server: of itself it only says that time ran out."""
    met = [server.error for server in client.topology_description.server_descriptions().values()]
    for each in met:
        if each is None or isinstance(each, NetworkTimeout):
            return TimeoutError("no server answered")
        if isinstance(each.__cause__, ssl.SSLError):
            return each.__cause__
    return met[0] if met else None
