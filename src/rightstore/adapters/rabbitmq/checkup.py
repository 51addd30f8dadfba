"""What a doctor asks of RabbitMQ: rights, alarms, heartbeat, version.

It makes one queue that dies with the connection of this question, so that nothing stays changed.
"""

import asyncio
from collections.abc import Sequence

from aio_pika import Message
from aiormq.exceptions import ChannelAccessRefused

from rightstore.adapters.rabbitmq.client import RabbitmqConnection, Session, connect
from rightstore.adapters.rabbitmq.errors import translated
from rightstore.clock import Clock
from rightstore.ports.checkup import Finding, judge_version

PERMISSIONS = "rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'"
# A blocked publisher hears nothing at all, so silence for this share of the timeout is the answer.
SHARE = 0.3


class RabbitmqCheckup:
    """Asks RabbitMQ, on a connection of its own: a blocked one is of no use afterwards."""

    def __init__(self, connection: RabbitmqConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def examine(self) -> Sequence[Finding]:
        """Look at the server and at our rights there, and judge each."""
        own = connect(self._connection.target, self._clock)
        await own.open()
        try:
            with translated("checkup", at=own.target.address, outcome="not applied"):
                async with asyncio.timeout(own.target.timeout):
                    pong = await own.ping()
                    return [
                        judge_version(pong.version, 3, 10),
                        self._heartbeat(own.session),
                        self._encryption(),
                        *await self._rights(own),
                    ]
        finally:
            await own.close()

    async def _rights(self, own: RabbitmqConnection) -> Sequence[Finding]:
        """Declare a queue, publish a message into it, and have the server confirm that."""
        channel = await own.session.connection.channel()
        try:
            queue = await channel.declare_queue(exclusive=True, auto_delete=True)
            rights = Finding("rights", "ok", "may declare and publish")
            try:
                async with asyncio.timeout(own.target.timeout * SHARE):
                    # A connection is blocked by its first message, which is still taken.
                    for _message in range(2):
                        await channel.default_exchange.publish(Message(b""), queue.name)
            except TimeoutError:
                return [rights, self._blocked()]
        except ChannelAccessRefused:
            return [
                Finding("rights", "error", "this user may not declare and publish", PERMISSIONS),
            ]
        return [rights, Finding("alarms", "ok", "none: it takes messages")]

    def _blocked(self) -> Finding:
        return Finding(
            "alarms",
            "error",
            "it takes no messages: its memory or its disk is short",
            "`rabbitmq-diagnostics alarms` says which: free some, or raise the limit",
        )

    def _heartbeat(self, session: Session) -> Finding:
        transport = session.connection.transport
        seconds = transport.connection.connection_tune.heartbeat if transport else 0
        if seconds:
            return Finding("heartbeat", "ok", f"{seconds} s")
        return Finding(
            "heartbeat",
            "warning",
            "is off: a connection that died in the network is not noticed",
            "take heartbeat=0 out of RABBITMQ_URL",
        )

    def _encryption(self) -> Finding:
        target = self._connection.target
        if target.parts("amqp", "amqps").scheme == "amqps":
            return Finding("encryption", "ok", "TLS")
        if target.is_local:
            return Finding("encryption", "ok", "none, within this machine")
        return Finding(
            "encryption",
            "warning",
            "the way to the server is not encrypted",
            "set up TLS there, and begin RABBITMQ_URL with amqps://",
        )
