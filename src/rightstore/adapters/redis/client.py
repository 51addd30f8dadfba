"""A client of Redis, or of a Redis Cluster with `?cluster=true`. It knows no key and no value."""

import asyncio
from contextlib import suppress
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

from redis import exceptions as driver
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from rightstore.adapters.redis.errors import DRIVER_ERRORS, translated
from rightstore.clock import Clock
from rightstore.errors import UsageError
from rightstore.ports.connection import Pong, Target

Client: TypeAlias = Redis | RedisCluster


def connect(target: Target, clock: Clock) -> "RedisConnection":
    """Make a connection without I/O; UsageError when the URL has no meaning."""
    target.parts("redis", "rediss", "unix")
    return RedisConnection(target, clock)


class RedisConnection:
    """Redis, connected."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._clock = clock
        self._client: Client | None = None

    @property
    def store(self) -> str:
        """The name of the store."""
        return "redis"

    @property
    def client(self) -> Client:
        """The client of the driver, for this room only."""
        if self._client is None:
            raise UsageError("redis is not open: await open() first")
        return self._client

    @property
    def is_cluster(self) -> bool:
        """Whether this is a cluster."""
        return isinstance(self.client, RedisCluster)

    async def ask(self, *command: str) -> Any:
        """Send a command that is about a server, to it or to one node of the cluster."""
        return await _send(self.client, *command)

    async def open(self) -> None:
        """Connect and log in; of a cluster, learn the nodes."""
        if self._client is not None:
            raise UsageError("redis is open already: open it once, and close it before the next")
        client = self._create()
        try:
            with translated("open", at=self.target.address, outcome="not applied"):
                async with asyncio.timeout(self.target.connect_timeout):
                    await client.initialize()
                    await self._ask(client)
        except BaseException:
            await self._let_go(client)
            raise
        self._client = client

    async def ping(self) -> Pong:
        """Send one command; of a cluster, to one node."""
        client = self.client
        with translated("ping", at=self.target.address, outcome="not applied"):
            async with asyncio.timeout(self.target.timeout):
                try:
                    return await self._ask(client)
                except driver.AuthenticationError:
                    raise
                except driver.ConnectionError:
                    # The pooled connection was of a server that is gone: the driver dropped it.
                    return await self._ask(client)

    async def close(self) -> None:
        """Close every socket."""
        client, self._client = self._client, None
        if client is not None:
            await self._let_go(client)

    def _create(self) -> Client:
        url, cluster = _split(self.target.url)
        options: dict[str, Any] = {
            "client_name": "rightstore",
            "socket_connect_timeout": self.target.connect_timeout,
            "socket_timeout": self.target.timeout,
            # The driver would send a command twice whose answer was lost: INCR would count twice.
            "retry": Retry(NoBackoff(), 0),
            "max_connections": self.target.pool_max,
        }
        try:
            if cluster:
                return RedisCluster.from_url(url, **options)
            return Redis.from_pool(
                BlockingConnectionPool.from_url(url, timeout=self.target.timeout, **options)
            )
        except (ValueError, TypeError, driver.RedisClusterException) as error:
            kind = type(error).__name__
        # Outside of the handler: the text of the driver may quote the URL.
        raise UsageError(
            f"REDIS_URL is not accepted ({kind}): correct its options, and percent-encode special "
            "characters of the user and the password"
        )

    async def _ask(self, client: Client) -> Pong:
        before = self._clock.monotonic()
        info = await _send(client, "INFO", "server")
        return Pong(str(info["redis_version"]), self._clock.monotonic() - before)

    async def _let_go(self, client: Client) -> None:
        with suppress(*DRIVER_ERRORS):
            async with asyncio.timeout(self.target.timeout):
                await client.aclose()


async def _send(client: Client, *command: str) -> Any:
    if isinstance(client, RedisCluster):
        return await client.execute_command(*command, target_nodes=RedisCluster.RANDOM)
    return await client.execute_command(*command)  # type: ignore[no-untyped-call] # of the driver


def _split(url: str) -> tuple[str, bool]:
    """Take our own parameter `cluster` out of the URL."""
    base, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    rest = urlencode([pair for pair in pairs if pair[0] != "cluster"])
    return f"{base}?{rest}", dict(pairs).get("cluster", "false").lower() in ("true", "1", "yes")
