"""A TCP proxy in front of a real server that breaks the wire on demand. It reads no TLS.

async with Proxy("127.0.0.1", 5432) as proxy:
    proxy.to_client.latency = 0.2       # connect to 127.0.0.1, proxy.port
"""

import asyncio
import socket
import struct
from contextlib import ExitStack, suppress
from typing import Self

from rightstore.clock import SYSTEM, Clock
from rightstore.errors import UsageError
from rightstore.testing.link import Flow, Link

HOST = "127.0.0.1"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """Passes connections on to a server; faults can be switched while they are open.

    The target is a host and port, or the path of a Unix socket (it begins with `/`). `accepted`
    counts connections, and each direction (`to_server`, `to_client`) its bytes.
    """

    def __init__(self, target: str, target_port: int = 0, *, clock: Clock = SYSTEM) -> None:
        self.to_server: Flow = Flow()
        self.to_client: Flow = Flow()
        self.accepted: int = 0
        self.port: int = 0
        self.marked: asyncio.Event = asyncio.Event()
        self.marker: bytes | None = None
        self._target = (target, target_port)
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._held = ExitStack()
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    @property
    def open(self) -> int:
        """Return how many connections are open, half-open ones included."""
        return len(self._connections)

    def refuse(self) -> None:
        """Refuse new connections (ECONNREFUSED) until `heal`; open ones go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def reset(self) -> None:
        """Break off every open connection at both ends (RST); new ones are welcome."""
        for task, connection in self._connections.items():
            connection.reset()
            task.cancel()

    def drop_replies_after(self, marker: bytes) -> None:
        """Drop every reply of a connection from the moment that it sends these bytes on.

        With b"COMMIT" the outcome of a transaction is exactly unknown: the server got it, the
        client hears nothing. `marked` is set then, and `to_client.dropped` counts what came back.
        The text is found in simple queries and in Parse messages, also when split over reads; in
        `READ COMMITTED` too, so start after the transaction has begun. A statement prepared before
        carries no text.
        """
        if not marker:
            raise UsageError("The marker is empty: name the bytes after which replies are dropped.")
        self.marker = marker
        self.marked.clear()

    async def heal(self) -> None:
        """Take all faults away. A connection that has lost bytes stays dead: reset it."""
        self.to_server.heal()
        self.to_client.heal()
        self.marker = None
        await self._listen()

    async def __aenter__(self) -> Self:
        # A second socket, bound and never listening, keeps the port ours while we refuse.
        place = self._held.enter_context(socket.socket())
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind((HOST, 0))
        self.port = place.getsockname()[1]
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.refuse()
        # What the loop was accepting becomes a connection within a turn or two.
        for _turn in range(3):
            await self._clock.sleep(0)
        self.reset()
        results = await asyncio.gather(*self._connections, return_exceptions=True)
        self._held.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accept, HOST, self.port, reuse_port=True
            )

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        connection = _Connection(self, self._clock, reader, writer)
        task = asyncio.create_task(connection.run(*self._target))
        self._connections[task] = connection
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        # One that failed is kept, for the end of the block to raise what it died of.
        if task.cancelled() or task.exception() is None:
            del self._connections[task]


class _Connection:
    """A client and the server behind, until one of them or a fault ends it."""

    def __init__(
        self,
        proxy: Proxy,
        clock: Clock,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._clock = clock
        self._reader = reader
        self._writers = [writer]
        self._tail = b""

    def reset(self) -> None:
        """Close both sockets at once, so that their peers get a reset."""
        for writer in self._writers:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
                )
            writer.transport.abort()

    async def run(self, target: str, port: int) -> None:
        """Connect to the server and carry bytes both ways."""
        try:
            if await self._carry(*await self._connect(target, port)):
                self.reset()
            for writer in self._writers:
                writer.close()
            await self._closed()
        except OSError:
            self.reset()
        finally:
            for writer in self._writers:
                writer.transport.abort()
            await self._closed()

    async def _connect(
        self, target: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if target.startswith("/"):
            return await asyncio.open_unix_connection(target)
        return await asyncio.open_connection(target, port)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Carry until both directions are over or one breaks; say whether that was a reset."""
        client = self._writers[0]
        self._writers.append(writer)
        replies = Link(
            self._proxy.to_client, reader, client, clock=self._clock, watch=lambda _: None
        )
        requests = Link(
            self._proxy.to_server,
            self._reader,
            writer,
            clock=self._clock,
            watch=lambda data: self._look_for_marker(data, replies),
        )
        tasks = [asyncio.create_task(link.run()) for link in (requests, replies)]
        try:
            for task in asyncio.as_completed(tasks):
                end = await task
                if end != "closed":
                    return end == "reset"
            return False
        finally:
            for running in tasks:
                running.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _look_for_marker(self, data: bytes, replies: Link) -> None:
        marker = self._proxy.marker
        if marker is None:
            return
        seen = self._tail + data
        if marker in seen:
            replies.deaf = True
            self._proxy.marked.set()
        self._tail = seen[max(0, len(seen) - len(marker) + 1) :]

    async def _closed(self) -> None:
        for writer in self._writers:
            with suppress(OSError):
                await writer.wait_closed()
