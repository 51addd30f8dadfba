"""The limits of the edge and of the protocol under it, over a real connection."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient
from starlette.types import ASGIApp, Receive, Scope, Send

from rightstore.web.protocol import BoundedProtocol

Build = Callable[..., ASGIApp]
Start = Callable[[ASGIApp], Awaitable[Any]]
Logs = Callable[[], list[dict[str, Any]]]

CHUNK = b"400\r\n" + b"x" * 1024 + b"\r\n"


async def test_a_body_that_is_declared_too_large_is_refused_before_it_is_read(
    build: Build, start: Start
) -> None:
    called: list[str] = []

    async def program(scope: Scope, _: Receive, __: Send) -> None:
        called.append(scope["path"])

    serving = await start(build({"/": program}, body=1024))
    async with serving.wire() as wire:
        await wire.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1025\r\n\r\n")
        answer = await wire.answer()
        end = await wire.rest()

    assert answer.status == 413
    assert answer.error()["code"] == "body_too_large"
    assert answer.error()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["connection"] == "close"
    assert end == b""
    assert called == []


async def test_a_body_at_the_limit_is_taken(build: Build, start: Start, echo: ASGIApp) -> None:
    serving = await start(build({"/": echo}, body=1024))

    async with serving.client() as http:
        exact = await http.post("/", content=b"x" * 1024)

    assert exact.json()["size"] == 1024


async def test_a_chunked_body_is_counted(build: Build, start: Start, echo: ASGIApp) -> None:
    serving = await start(build({"/": echo}, body=4096))

    async with serving.wire() as wire:
        await wire.send(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        await wire.send(*[CHUNK] * 5)
        answer = await wire.answer()

    assert answer.status == 413
    assert answer.error()["code"] == "body_too_large"


async def test_fastapi_gets_no_word_in_when_a_chunked_body_is_too_large(
    logs: Logs, build: Build, start: Start
) -> None:
    api = FastAPI()

    @api.post("/json")
    async def take(body: dict[str, str]) -> int:
        return len(body)

    @api.post("/raw")
    async def read(request: Request) -> int:
        return len(await request.body())

    serving = await start(build({"/": api}, body=4096))
    statuses = []
    for path in (b"/json", b"/raw"):
        async with serving.wire() as wire:
            await wire.send(b"POST " + path + b" HTTP/1.1\r\nhost: a\r\n")
            await wire.send(b"content-type: application/json\r\n")
            await wire.send(b"transfer-encoding: chunked\r\n\r\n", *[CHUNK] * 5)
            statuses.append((await wire.answer()).status)

    assert statuses == [413, 413]
    assert "request failed" not in [line["event"] for line in logs()]


async def test_a_slow_body_ends_with_the_request_timeout(
    build: Build, start: Start, echo: ASGIApp
) -> None:
    serving = await start(build({"/": echo}, timeout=0.2))

    async with serving.wire() as wire:
        await wire.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
        answer = await wire.answer()
        end = await wire.rest()

    assert answer.status == 504
    assert answer.error()["code"] == "request_timeout"
    assert end == b""


async def test_the_application_is_cancelled_at_the_timeout(build: Build, start: Start) -> None:
    cancelled = asyncio.Event()

    async def program(_: Scope, __: Receive, ___: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    serving = await start(build({"/": program}, timeout=0.1))
    async with serving.client() as http:
        answer = await http.get("/")

    assert answer.status_code == 504
    assert cancelled.is_set()


async def test_an_answer_that_has_begun_is_cut_at_the_timeout(build: Build, start: Start) -> None:
    async def program(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.Event().wait()

    serving = await start(build({"/": program}, timeout=0.2))
    async with serving.wire() as wire:
        await wire.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        everything = await wire.rest()

    assert everything.startswith(b"HTTP/1.1 200")
    assert everything.endswith(b"4\r\nhalf\r\n")


async def test_a_timeout_that_the_application_swallows_is_still_an_answer(
    build: Build, start: Start
) -> None:
    async def program(_: Scope, __: Receive, ___: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    serving = await start(build({"/": program}, timeout=0.1))
    async with serving.client() as http:
        answer = await http.get("/")

    assert answer.status_code == 504


async def test_each_request_has_its_own_deadline(build: Build, start: Start) -> None:
    async def program(scope: Scope, _: Receive, send: Send) -> None:
        if scope["path"] == "/stuck":
            await asyncio.Event().wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    serving = await start(build({"/": program}, timeout=0.2))
    async with serving.client() as http:
        together = [http.get(path) for path in ("/stuck", "/well", "/stuck")]
        first = [answer.status_code for answer in await asyncio.gather(*together)]
        later = [(await http.get(path)).status_code for path in ("/well", "/stuck", "/well")]

    assert first == [504, 204, 504]
    assert later == [204, 504, 204]


def test_a_program_can_be_served_by_one_loop_after_another(build: Build) -> None:
    async def stuck(_: Scope, __: Receive, ___: Send) -> None:
        await asyncio.Event().wait()

    program = build({"/": stuck}, timeout=0.05)

    async def ask() -> int:
        async with AsyncClient(transport=ASGITransport(program), base_url="http://test") as http:
            return (await http.get("/")).status_code

    statuses = [asyncio.run(ask()), asyncio.run(ask())]

    assert statuses == [504, 504]


async def test_the_connection_goes_on_after_errors(
    build: Build, start: Start, echo: ASGIApp
) -> None:
    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/bug":
            raise ZeroDivisionError
        await echo(scope, receive, send)

    serving = await start(build({"/a": program}))
    async with serving.wire() as wire:
        await wire.send(
            b"GET /a/bug HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET /nowhere HTTP/1.1\r\nhost: a\r\n\r\n",
            b"POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc",
            b"GET /a/well HTTP/1.1\r\nhost: a\r\n\r\n",
        )
        answers = [await wire.answer() for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 404, 405, 200]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4


async def test_a_client_that_goes_away_is_no_error(logs: Logs, build: Build, start: Start) -> None:
    ended = asyncio.Event()

    async def program(scope: Scope, receive: Receive, _: Send) -> None:
        try:
            await Request(scope, receive).body()
        finally:
            ended.set()

    serving = await start(build({"/": program}))
    async with serving.wire() as wire:
        await wire.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
    async with asyncio.timeout(10):
        await ended.wait()

    assert {line["level"] for line in logs()} <= {"info"}


@pytest.fixture
def quick_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.2)


@pytest.mark.usefixtures("quick_head")
async def test_a_slow_head_is_refused(build: Build, start: Start, echo: ASGIApp) -> None:
    serving = await start(build({"/": echo}))

    async with serving.wire() as wire:
        await wire.send(b"GET / HTTP/1.1\r\nhost:")
        answer = await wire.answer()
        end = await wire.rest()

    assert answer.status == 408
    assert end == b""


@pytest.mark.usefixtures("quick_head")
async def test_a_connection_that_says_nothing_is_closed(
    build: Build, start: Start, echo: ASGIApp
) -> None:
    serving = await start(build({"/": echo}))

    async with serving.wire() as wire:
        end = await wire.rest()

    assert end == b""


@pytest.mark.usefixtures("quick_head")
async def test_the_second_head_of_a_connection_is_bounded_as_well(
    build: Build, start: Start, echo: ASGIApp
) -> None:
    serving = await start(build({"/": echo}))

    async with serving.wire() as wire:
        await wire.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        first = await wire.answer()
        await wire.send(b"GET / HT")
        second = await wire.answer()

    assert (first.status, second.status) == (200, 408)


@pytest.mark.usefixtures("quick_head")
async def test_an_answer_on_its_way_is_not_hurt_by_a_slow_head_behind_it(
    build: Build, start: Start, echo: ASGIApp
) -> None:
    gate = asyncio.Event()

    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.wait()
        await echo(scope, receive, send)

    serving = await start(build({"/": program}))
    async with serving.wire() as wire:
        await wire.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await wire.send(b"GET / HT")
        asyncio.get_running_loop().call_later(0.5, gate.set)
        answer = await wire.answer()
        end = await wire.rest()

    assert answer.status == 200
    assert end == b""


async def test_a_head_without_end_is_refused(build: Build, start: Start, echo: ASGIApp) -> None:
    serving = await start(build({"/": echo}))

    async with serving.wire() as wire:
        await wire.send(b"GET / HTTP/1.1\r\nhost: a\r\nx: ", b"y" * 400_000)
        answer = await wire.answer()

    assert answer.status == 431


@pytest.mark.parametrize(
    "request_bytes",
    [b"nonsense\r\n\r\n", b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n"],
)
async def test_what_is_not_http_is_400(
    build: Build, start: Start, echo: ASGIApp, request_bytes: bytes
) -> None:
    serving = await start(build({"/": echo}))

    async with serving.wire() as wire:
        await wire.send(request_bytes)
        answer = await wire.answer()

    assert answer.status == 400
