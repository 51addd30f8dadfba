"""A relay before a server that counts what an operation costs on the wire. It breaks nothing."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from benchmarks.frame import Frames

HOST = "127.0.0.1"
CHUNK = 1 << 18


@dataclass(slots=True)
class Counters:
    """What went over the wire: bytes, statements (or commands), and times that one waited."""

    round_trips: int = 0
    statements: int = 0
    sent: int = 0
    received: int = 0


class Meter:
    """Listens on a port of its own, passes everything on, and counts it in `counters`."""

    def __init__(self, url: str, frames: Callable[[], Frames]) -> None:
        self._url, self._parts, self._frames = url, urlsplit(url), frames
        self.counters = Counters()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The URL of the server, by way of this relay."""
        if self._server is None:
            raise RuntimeError("the meter is not open")
        parts = self._parts
        query = [it for it in parse_qsl(parts.query) if it[0] not in {"host", "port"}]
        if parts.scheme == "mongodb":
            query = [*query, ("directConnection", "true")]
        user, at, _ = parts.netloc.rpartition("@")
        netloc = f"{user}{at}{HOST}:{self._server.sockets[0].getsockname()[1]}"
        return parts._replace(netloc=netloc, query=urlencode(dict(query))).geturl()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._connect()
        wire = _Wire(self, self._frames())
        for way in (
            _pass(reader, far_writer, wire.asked),
            _pass(far_reader, writer, wire.told),
        ):
            task = asyncio.create_task(way)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        query = dict(parse_qsl(self._parts.query))
        if "host" in query:
            path = f"{query['host']}/.s.PGSQL.{query.get('port', 5432)}"
            return await asyncio.open_unix_connection(path)
        return await asyncio.open_connection(self._parts.hostname, self._parts.port)


class _Wire:
    """One connection that is counted."""

    def __init__(self, meter: Meter, frames: Frames) -> None:
        self._meter, self._frames = meter, frames
        self._is_waiting = False

    def asked(self, data: bytes) -> None:
        """Count what goes to the server; the first bytes after an answer begin a round trip."""
        counters = self._meter.counters
        counters.sent += len(data)
        counters.statements += self._frames.statements(data)
        counters.round_trips += not self._is_waiting
        self._is_waiting = True

    def told(self, data: bytes) -> None:
        """Count what comes from the server."""
        self._meter.counters.received += len(data)
        self._is_waiting = False


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[bytes], None]
) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            count(data)
            writer.write(data)
            await writer.drain()
    writer.close()
