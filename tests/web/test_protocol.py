"""What a client may do to a connection: trailers without end, answers that it does not read."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from rightstore.testing.wait import until
from rightstore.web.protocol import BoundedProtocol

Build = Callable[..., ASGIApp]
Start = Callable[[ASGIApp], Awaitable[Any]]

CHUNKED = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
LARGE = 8 * 1024 * 1024


@pytest.fixture
def quick_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "leave_seconds", 0.2)


@contextmanager
def deaf(port: int) -> Iterator[socket.socket]:
    """Yield a connection that takes next to nothing unless it is read."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(("127.0.0.1", port))
        yield client


@pytest.mark.parametrize("trailers", [b"x: " + b"y" * 1000 + b"\r\n", b"y" * 1000])
async def test_trailers_without_end_are_cut(
    build: Build, start: Start, echo: ASGIApp, trailers: bytes
) -> None:
    serving = await start(build({"/": echo}))

    async with serving.wire() as wire:
        await wire.send(CHUNKED + b"x: ")
        with pytest.raises(ConnectionError):
            await wire.send(*[trailers] * 20_000)


async def test_trailers_are_dropped(build: Build, start: Start) -> None:
    seen: list[list[bytes]] = []

    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        seen.append([name for name, _ in scope["headers"]])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    serving = await start(build({"/": program}))
    async with serving.wire() as wire:
        for _ in range(2):
            await wire.send(CHUNKED + b"x-user: root\r\n\r\n")
            await wire.answer()

    assert seen == [[b"host", b"transfer-encoding"]] * 2


async def test_a_large_body_is_no_trailer(build: Build, start: Start, echo: ASGIApp) -> None:
    serving = await start(build({"/": echo}))

    async with serving.client() as http:
        answers = [await http.post("/", content=b"x" * 2_000_000) for _ in range(2)]

    assert [answer.json()["size"] for answer in answers] == [2_000_000] * 2


@pytest.mark.usefixtures("quick_leave")
@pytest.mark.parametrize("more", [True, False])
async def test_a_client_that_does_not_read_is_cut_when_the_time_is_over(
    build: Build, start: Start, more: bool
) -> None:
    async def program(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * LARGE, "more_body": more})
        if more:
            await send({"type": "http.response.body", "body": b"y"})

    serving = await start(build({"/": program}, timeout=0.3))
    state = serving.server.server_state
    with deaf(serving.port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 3)
        await until(lambda: bool(state.tasks), seconds=10)
        await until(lambda: not state.tasks and not state.connections, seconds=10)


@pytest.mark.usefixtures("quick_leave")
async def test_a_connection_that_is_to_close_does_not_wait_for_its_reader(
    build: Build, start: Start
) -> None:
    async def program(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * LARGE})

    serving = await start(build({"/": program}))
    state = serving.server.server_state
    with deaf(serving.port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        await until(lambda: bool(state.connections), seconds=10)
        await until(lambda: not state.connections, seconds=10)


@pytest.mark.usefixtures("quick_leave")
async def test_an_answer_that_is_whole_in_spite_of_the_timeout_keeps_its_connection(
    build: Build, start: Start
) -> None:
    async def program(_: Scope, __: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            headers = [(b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

    serving = await start(build({"/": program}, timeout=0.3))
    async with serving.wire() as wire:
        for _ in range(3):
            await wire.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            answer = await wire.answer()

    assert answer.status == 200
