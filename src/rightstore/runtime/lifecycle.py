"""A connection that opens itself when it is first needed, so that a program starts without a store.

It retries nothing: the next call tries again.
"""

import asyncio

from rightstore.ports.connection import Connection, Pong


class Opening:
    """Implements port `connection` around another one; `open` is implied by the first ping."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._opened = False
        self._gate = asyncio.Lock()

    @property
    def store(self) -> str:
        """The name of the store."""
        return self._connection.store

    async def open(self) -> None:
        """Open the connection, unless it is open."""
        async with self._gate:
            if not self._opened:
                await self._connection.open()
                self._opened = True

    async def ping(self) -> Pong:
        """Open the connection if needed, then ask the server whether it serves."""
        await self.open()
        return await self._connection.ping()

    async def close(self) -> None:
        """Close the connection."""
        async with self._gate:
            self._opened = False
            await self._connection.close()
