"""A client of OpenSearch. It knows no index and no document."""

import asyncio
from contextlib import suppress
from urllib.parse import unquote

from opensearchpy import AsyncOpenSearch
from opensearchpy import exceptions as driver

from rightstore.adapters.opensearch.errors import DRIVER_ERRORS, translated
from rightstore.clock import Clock
from rightstore.errors import RejectedError, UsageError
from rightstore.ports.connection import Pong, Target


def connect(target: Target, clock: Clock) -> "OpensearchConnection":
    """Make a connection without I/O; UsageError when the URL has no meaning."""
    target.parts("http", "https")
    return OpensearchConnection(target, clock)


class OpensearchConnection:
    """OpenSearch, connected."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._clock = clock
        self._client: AsyncOpenSearch | None = None

    @property
    def store(self) -> str:
        """The name of the store."""
        return "opensearch"

    @property
    def client(self) -> AsyncOpenSearch:
        """The client of the driver, for this room only."""
        if self._client is None:
            raise UsageError("opensearch is not open: await open() first")
        return self._client

    async def open(self) -> None:
        """See that the server answers and takes the user."""
        if self._client is not None:
            raise UsageError(
                "opensearch is open already: open it once, and close it before the next"
            )
        client = self._create()
        try:
            with translated("open", at=self.target.address, outcome="not applied"):
                async with asyncio.timeout(self.target.connect_timeout):
                    await self._ask(client, "open")
        except BaseException:
            await self._let_go(client)
            raise
        self._client = client

    async def ping(self) -> Pong:
        """Ask the server for its version."""
        client = self.client
        with translated("ping", at=self.target.address, outcome="not applied"):
            async with asyncio.timeout(self.target.timeout):
                try:
                    return await self._ask(client, "ping")
                except (driver.ConnectionTimeout, driver.SSLError):
                    raise
                except driver.ConnectionError:
                    # That connection may have been kept alive to a server that is gone.
                    return await self._ask(client, "ping")

    async def close(self) -> None:
        """Close every socket."""
        client, self._client = self._client, None
        if client is not None:
            await self._let_go(client)

    def _create(self) -> AsyncOpenSearch:
        parts = self.target.parts("http", "https")
        login = (unquote(parts.username or ""), unquote(parts.password or ""))
        return AsyncOpenSearch(
            [f"{parts.scheme}://{self.target.address}{parts.path}"],
            http_auth=login if parts.username else None,
            timeout=self.target.timeout,
            pool_maxsize=self.target.pool_max,
            # A retry by the driver outlives our deadlines and repeats writes without being asked.
            max_retries=0,
            retry_on_timeout=False,
        )

    async def _ask(self, client: AsyncOpenSearch, operation: str) -> Pong:
        before = self._clock.monotonic()
        info = await client.info()
        latency = self._clock.monotonic() - before
        version = info.get("version", {}).get("number") if isinstance(info, dict) else None
        if version is None:
            raise RejectedError(
                f"opensearch at {self.target.address} is another program: correct OPENSEARCH_URL",
                store="opensearch",
                operation=operation,
                outcome="not applied",
            )
        return Pong(str(version), latency)

    async def _let_go(self, client: AsyncOpenSearch) -> None:
        with suppress(*DRIVER_ERRORS):
            async with asyncio.timeout(self.target.timeout):
                await client.close()
