"""A client of DynamoDB. It knows no table and no item.

The URL is the endpoint, `?region=` names the region where the host does not, and a key and a secret
stand in the place of user and password; without them AWS' own chain of credentials is asked.
"""

import asyncio
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, unquote

from aiobotocore.config import AioConfig
from aiobotocore.session import ClientCreatorContext, get_session
from botocore import exceptions as driver
from botocore.loaders import Loader

from rightstore.adapters.dynamodb.errors import DRIVER_ERRORS, translated
from rightstore.clock import Clock
from rightstore.errors import UsageError
from rightstore.ports.connection import Pong, Target

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

AWS = ".amazonaws.com"


def connect(target: Target, clock: Clock) -> "DynamodbConnection":
    """Make a connection without I/O; UsageError when the URL has no meaning."""
    target.parts("http", "https")
    return DynamodbConnection(target, clock)


class DynamodbConnection:
    """DynamoDB, connected."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._clock = clock
        self._client: DynamoDBClient | None = None

    @property
    def store(self) -> str:
        """The name of the store."""
        return "dynamodb"

    @property
    def client(self) -> "DynamoDBClient":
        """The client of the driver, for this room only."""
        if self._client is None:
            raise UsageError("dynamodb is not open: await open() first")
        return self._client

    async def open(self) -> None:
        """Find the credentials, and see that the service takes them."""
        if self._client is not None:
            raise UsageError("dynamodb is open already: open it once, and close it before the next")
        with translated("open", at=self.target.address, outcome="not applied"):
            async with asyncio.timeout(self.target.connect_timeout):
                client = await self._create().__aenter__()
                try:
                    await self._ask(client)
                except BaseException:
                    await self._let_go(client)
                    raise
        self._client = client

    async def ping(self) -> Pong:
        """Ask for the name of one table."""
        client = self.client
        with translated("ping", at=self.target.address, outcome="not applied"):
            async with asyncio.timeout(self.target.timeout):
                with suppress(driver.ConnectionClosedError, driver.EndpointConnectionError):
                    return await self._ask(client)
                # That connection may have been kept alive to a server that is gone.
                return await self._ask(client)

    async def close(self) -> None:
        """Close every socket."""
        client, self._client = self._client, None
        if client is not None:
            await self._let_go(client)

    def _create(self) -> "ClientCreatorContext[DynamoDBClient]":
        parts = self.target.parts("http", "https")
        session = get_session()
        session.register_component("data_loader", _loader())
        region = _region(parts) or session.get_config_variable("region")
        if not region:
            raise UsageError(
                "DYNAMODB_URL names no region: add ?region=eu-west-1, or set AWS_REGION"
            )
        config = AioConfig(
            connect_timeout=self.target.connect_timeout,
            read_timeout=self.target.timeout,
            # A retry by the driver outlives our deadlines and repeats writes without being asked.
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=self.target.pool_max,
            user_agent_extra="rightstore",
        )
        return session.create_client(
            "dynamodb",
            region_name=region,
            endpoint_url=f"{parts.scheme}://{self.target.address}",
            aws_access_key_id=unquote(parts.username) if parts.username else None,
            aws_secret_access_key=unquote(parts.password) if parts.password else None,
            # Reading the certificates of the world takes longer than opening; http needs none.
            verify=None if parts.scheme == "https" else False,
            config=config,
        )

    async def _ask(self, client: "DynamoDBClient") -> Pong:
        before = self._clock.monotonic()
        answer = await client.list_tables(Limit=1)
        latency = self._clock.monotonic() - before
        return Pong(_version(answer["ResponseMetadata"]["HTTPHeaders"], self.target), latency)

    async def _let_go(self, client: "DynamoDBClient") -> None:
        with suppress(*DRIVER_ERRORS):
            async with asyncio.timeout(self.target.timeout):
                await client.close()


@cache
def _loader() -> Loader:
    """Return what reads the models of the service, which takes longer than all else: once."""
    return Loader()


def _region(parts: SplitResult) -> str | None:
    """Return the region that the URL names, as a parameter or within a host of AWS."""
    named = parse_qs(parts.query).get("region")
    if named:
        return named[0]
    labels = (parts.hostname or "").removesuffix(AWS).split(".")
    return labels[1] if (parts.hostname or "").endswith(AWS) and len(labels) > 1 else None


def _version(headers: dict[str, Any], target: Target) -> str:
    """Say who answers: the service has no versions, and its local program tells none."""
    if (target.parts("http", "https").hostname or "").endswith(AWS):
        return "aws"
    return "dynamodb-local" if "jetty" in headers.get("server", "").lower() else "compatible"
