from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient
from starlette.types import ASGIApp, Receive, Scope, Send

from rightstore.errors import RightstoreError, UnavailableError, UsageError
from rightstore.runtime.health import Health
from rightstore.telemetry.alarm import Alarms
from rightstore.web.application import Application
from rightstore.web.assemble import assemble
from rightstore.web.lifespan import Lifespan

Build = Callable[..., ASGIApp]
Start = Callable[[ASGIApp], Awaitable[Any]]


def client(program: ASGIApp) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(program), base_url="http://test")


def named(name: str, events: list[str], error: Exception | None = None) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        if error is not None:
            raise error
        events.append(f"{name} starts")
        yield {"who": name}
        events.append(f"{name} stops")

    api = FastAPI(lifespan=lifespan)

    @api.get("/who")
    async def who(request: Request) -> str:
        return str(request.state.who)

    return api


async def test_an_application_at_the_root_owns_every_path_but_the_probes(
    build: Build, echo: ASGIApp
) -> None:
    async with client(build({"/": echo})) as http:
        owned = [await http.get(path) for path in ("/", "/health", "/live/", "/ready/x", "/docs")]
        live = await http.get("/live")

    assert [answer.json()["path"] for answer in owned] == [
        "/",
        "/health",
        "/live/",
        "/ready/x",
        "/docs",
    ]
    assert live.json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "root_path"),
    [
        ("/shop", "/shop"),
        ("/shop/a", "/shop"),
        ("/shop/admin", "/shop/admin"),
        ("/shop/admin/x", "/shop/admin"),
        ("/shop/administer", "/shop"),
        ("/shopping", ""),
    ],
)
async def test_the_longest_mount_wins(
    build: Build, echo: ASGIApp, path: str, root_path: str
) -> None:
    program = build({"/": echo, "/shop": echo, "/shop/admin": echo})

    async with client(program) as http:
        answer = await http.get(path)

    assert (answer.json()["root_path"], answer.json()["path"]) == (root_path, path)


async def test_an_encoded_slash_and_unicode_reach_the_application_as_they_came(
    build: Build, start: Start, echo: ASGIApp
) -> None:
    serving = await start(build({"/shop": echo}))

    async with serving.wire() as wire:
        await wire.send(b"GET /shop/a%2Fb/%C3%A9%F0%9F%98%80?q HTTP/1.1\r\nhost: a\r\n\r\n")
        answer = await wire.answer()

    assert b'"raw_path": "/shop/a%2Fb/%C3%A9%F0%9F%98%80"' in answer.body
    assert answer.status == 200


async def test_without_an_application_the_answer_says_which_paths_there_are(
    build: Build, echo: ASGIApp
) -> None:
    async with client(build({"/shop": echo})) as http:
        answers = [await http.get("/"), await http.get("/<script>")]

    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == (
            "Nothing answers at this path; these do: /shop (app0), /live, /ready, /metrics."
        )


@pytest.mark.parametrize(
    ("mounts", "words"),
    [
        ([("a", "/x"), ("b", "/x")], ["a and b", "/x"]),
        ([("a", "/"), ("b", "/")], ["a and b", "/"]),
        ([("a", "/x"), ("a", "/y")], ["named a"]),
        ([("a", "/live")], ["a cannot", "/live"]),
        ([("a", "x")], ["a cannot", "'x'"]),
        ([("a", "/x/")], ["a cannot", "'/x/'"]),
        ([("a", "")], ["a cannot"]),
    ],
)
def test_mounts_that_make_no_sense_are_refused(
    echo: ASGIApp, mounts: list[tuple[str, str]], words: list[str]
) -> None:
    alarms = Alarms()
    applications = [Application(name, echo, mount) for name, mount in mounts]

    with pytest.raises(UsageError) as raised:
        assemble(applications, health=Health([], alarms=alarms), alarms=alarms)

    assert all(word in str(raised.value) for word in words)


async def test_applications_start_in_order_stop_in_the_opposite_one_and_keep_their_state(
    build: Build, start: Start, echo: ASGIApp
) -> None:
    events: list[str] = []
    program = build({"/a": named("a", events), "/plain": echo, "/b": named("b", events)})
    lifespan = Lifespan(program)

    await lifespan.start()
    async with client(program) as http:
        who = [(await http.get("/a/who")).json(), (await http.get("/b/who")).json()]
    await lifespan.stop()

    assert who == ["a", "b"]
    assert events == ["a starts", "b starts", "b stops", "a stops"]


async def test_one_that_does_not_start_stops_the_start_and_is_named(build: Build) -> None:
    events: list[str] = []
    broken = named("b", events, ValueError("no mongodb://u:hunter2@host"))
    lifespan = Lifespan(build({"/a": named("a", events), "/b": broken}))

    with pytest.raises(RightstoreError) as raised:
        await lifespan.start()

    assert str(raised.value) == (
        "application app1 did not start: ValueError: no mongodb://u:***@host"
    )
    assert events == ["a starts", "a stops"]


async def test_an_error_of_ours_keeps_its_class_when_it_stops_the_start(build: Build) -> None:
    error = UnavailableError("postgres is down: start it", store="postgres", operation="open")
    lifespan = Lifespan(build({"/a": named("a", [], error)}))

    with pytest.raises(UnavailableError) as raised:
        await lifespan.start()

    assert str(raised.value) == "application app0 did not start: postgres is down: start it"


async def test_a_program_that_knows_no_lifespan_is_served(build: Build) -> None:
    async def program(scope: Scope, _: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    site = build({"/": program})
    lifespan = Lifespan(site)

    await lifespan.start()
    async with client(site) as http:
        answer = await http.get("/")
    await lifespan.stop()

    assert answer.status_code == 204


@pytest.mark.parametrize("program", [None, "text", 3])
def test_what_is_no_program_is_refused_by_its_name(program: object) -> None:
    with pytest.raises(UsageError, match="'shop' is not an ASGI program"):
        Application.found("shop", program)
