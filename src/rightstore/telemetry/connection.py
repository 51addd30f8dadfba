"""The port `connection`, measured: the same promises, with every call counted, timed and traced."""

from rightstore.clock import SYSTEM, Clock
from rightstore.ports.connection import Connection, Pong
from rightstore.telemetry.operation import measured


class Measured:
    """Wraps the connection of a store."""

    def __init__(self, connection: Connection, clock: Clock = SYSTEM) -> None:
        self._connection = connection
        self._clock = clock

    @property
    def store(self) -> str:
        """The name of the store."""
        return self._connection.store

    async def open(self) -> None:
        """Connect."""
        with measured(self.store, "open", self._clock):
            await self._connection.open()

    async def ping(self) -> Pong:
        """Ask the server whether it serves."""
        with measured(self.store, "ping", self._clock):
            return await self._connection.ping()

    async def close(self) -> None:
        """Let go of every socket."""
        with measured(self.store, "close", self._clock):
            await self._connection.close()
