import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
import structlog
from httpx import AsyncClient
from starlette.types import ASGIApp, Receive, Scope, Send

from rightstore.runtime.health import Health
from rightstore.telemetry import log
from rightstore.telemetry.alarm import Alarms
from rightstore.web.application import Application
from rightstore.web.assemble import assemble
from rightstore.web.edge import EdgeLimits
from rightstore.web.server import Server, listen


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer read from the wire, as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found


class Wire:
    """A connection that sends what it is told to, well-formed or not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *parts: bytes) -> None:
        self.writer.writelines(parts)
        await self.writer.drain()

    async def answer(self) -> Answer:
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *rest = head.decode().strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in rest)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split()[1]), headers, body)

    async def rest(self) -> bytes:
        return await self.reader.read()


class Serving:
    """A program behind a real server on a port of its own."""

    def __init__(self, server: Server, port: int, task: "asyncio.Task[None]") -> None:
        self.server = server
        self.port = port
        self.task = task
        self.url = f"http://127.0.0.1:{port}"

    def client(self) -> AsyncClient:
        return AsyncClient(base_url=self.url, timeout=20)

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(20):
                yield Wire(reader, writer)
        finally:
            writer.close()


Start = Callable[[ASGIApp], Awaitable[Serving]]
Build = Callable[..., ASGIApp]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Serve a program for the length of the test."""
    running: list[Serving] = []

    async def begin(program: ASGIApp) -> Serving:
        listener = listen("127.0.0.1", 0)
        ready = asyncio.Event()
        server = Server(program, grace=1, on_ready=ready.set)
        task = asyncio.create_task(_serve(server, listener))
        await ready.wait()
        running.append(Serving(server, listener.getsockname()[1], task))
        return running[-1]

    yield begin
    for serving in running:
        serving.server.should_exit = True
        await serving.task


async def _serve(server: Server, listener: Any) -> None:
    with closing(listener):
        await server.serve([listener])


@pytest.fixture
def build() -> Build:
    """Assemble applications, given as programs by their mount, over no stores."""

    def assembled(mounts: dict[str, ASGIApp], **limits: Any) -> ASGIApp:
        alarms = Alarms()
        applications = [
            Application(f"app{number}", program, mount)
            for number, (mount, program) in enumerate(mounts.items())
        ]
        health = Health([], alarms=alarms)
        return assemble(applications, health=health, alarms=alarms, limits=EdgeLimits(**limits))

    return assembled


@pytest.fixture
def logs() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged so far, as it would be in production. Ask for it before `build`."""
    stream = StringIO()
    log.configure("json", "info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()


@pytest.fixture
def echo() -> ASGIApp:
    """A plain program that tells what it was asked."""

    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        seen = {
            "path": scope["path"],
            "raw_path": scope["raw_path"].decode(),
            "root_path": scope["root_path"],
            "size": size,
        }
        body = json.dumps(seen).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return program
