"""A connection to RabbitMQ, with one channel to ask it. It knows no exchange and no queue of ours.

It is a plain connection that `ping` opens again: one that restores itself in the background would
answer for a server that is not there.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from rightstore.adapters.rabbitmq.errors import DRIVER_ERRORS, translated
from rightstore.clock import Clock
from rightstore.errors import UsageError
from rightstore.ports.connection import Pong, Target

# Every virtual host has this exchange, and asking for it passively takes no right.
EXCHANGE = "amq.direct"


@dataclass(frozen=True, slots=True)
class Session:
    """What is open: a connection and the channel that asks."""

    connection: AbstractConnection
    channel: AbstractChannel


def connect(target: Target, clock: Clock) -> "RabbitmqConnection":
    """Make a connection without I/O; UsageError when the URL has no meaning."""
    target.parts("amqp", "amqps")
    return RabbitmqConnection(target, clock)


class RabbitmqConnection:
    """RabbitMQ, connected."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._clock = clock
        self._session: Session | None = None
        self._renewing = asyncio.Lock()

    @property
    def store(self) -> str:
        """The name of the store."""
        return "rabbitmq"

    @property
    def session(self) -> Session:
        """The connection of the driver, for this room only."""
        if self._session is None:
            raise UsageError("rabbitmq is not open: await open() first")
        return self._session

    async def open(self) -> None:
        """Connect, log in, and open a channel in the virtual host."""
        if self._session is not None:
            raise UsageError("rabbitmq is open already: open it once, and close it before the next")
        with translated("open", at=self.target.address, outcome="not applied"):
            async with asyncio.timeout(self.target.connect_timeout):
                self._session = await self._connect()

    async def ping(self) -> Pong:
        """Ask for an exchange that is always there; connect again first if the server was gone."""
        session = self.session
        with translated("ping", at=self.target.address, outcome="not applied"):
            async with asyncio.timeout(self.target.timeout):
                with suppress(*CONNECTION_EXCEPTIONS):
                    return await self._ask(session)
                return await self._ask(await self._renewed(session))

    async def close(self) -> None:
        """Say goodbye and close the socket."""
        session, self._session = self._session, None
        if session is not None:
            await self._let_go(session)

    async def _renewed(self, stale: Session) -> Session:
        """Connect again, unless another task has done so or has closed us meanwhile."""
        async with self._renewing:
            if self._session is stale:
                await self._let_go(stale)
                fresh = await self._connect()
                if self._session is stale:
                    self._session = fresh
                else:
                    await self._let_go(fresh)
        return self.session

    async def _connect(self) -> Session:
        connection = await aio_pika.connect(
            self.target.url,
            timeout=self.target.connect_timeout,
            client_properties={"connection_name": "rightstore"},
        )
        try:
            return Session(connection, await connection.channel(publisher_confirms=False))
        except BaseException:
            await connection.close()
            raise

    async def _ask(self, session: Session) -> Pong:
        before = self._clock.monotonic()
        await session.channel.declare_exchange(EXCHANGE, passive=True)
        latency = self._clock.monotonic() - before
        transport = session.connection.transport
        properties = transport.connection.server_properties if transport else {}
        return Pong(str(properties.get("version", "unknown")), latency)

    async def _let_go(self, session: Session) -> None:
        with suppress(*DRIVER_ERRORS):
            async with asyncio.timeout(self.target.timeout):
                await session.connection.close()
