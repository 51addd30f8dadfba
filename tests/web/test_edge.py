import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import REGISTRY
from starlette.types import ASGIApp, Receive, Scope, Send

Build = Callable[..., ASGIApp]
Logs = Callable[[], list[dict[str, Any]]]


def client(program: ASGIApp) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(program), base_url="http://test")


def counted(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("rightstore_http_requests_total", labels) or 0


async def test_a_sane_request_id_is_kept(build: Build, echo: ASGIApp) -> None:
    async with client(build({"/": echo})) as http:
        answer = await http.get("/a", headers={"X-Request-Id": "abc-123"})

    assert answer.headers["x-request-id"] == "abc-123"


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129, "ä".encode()])
async def test_any_other_request_id_is_replaced(
    build: Build, echo: ASGIApp, given: str | bytes | None
) -> None:
    headers = {} if given is None else {"X-Request-Id": given}

    async with client(build({"/": echo})) as http:
        first = await http.get("/a", headers=headers)  # type: ignore[arg-type] # bytes are allowed
        second = await http.get("/a")

    assert re.fullmatch("[0-9a-f]{32}", first.headers["x-request-id"])
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_every_answer_has_security_headers(build: Build, echo: ASGIApp) -> None:
    async with client(build({"/": echo})) as http:
        answer = await http.get("/a")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert "server" not in answer.headers


async def test_headers_of_the_application_win(build: Build) -> None:
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"x-frame-options", b"SAMEORIGIN"),
            (b"content-security-policy", b"default-src 'self'"),
        ],
    }

    async def program(_: Scope, __: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b"{}"})

    async with client(build({"/": program})) as http:
        answers = [await http.get("/"), await http.get("/")]

    for answer in answers:
        assert answer.headers.get_list("x-frame-options") == ["SAMEORIGIN"]
        assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]
        assert len(answer.headers.get_list("x-request-id")) == 1


async def test_pages_that_are_not_json_get_no_content_policy(build: Build) -> None:
    async def program(_: Scope, __: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<p>"})

    async with client(build({"/": program})) as http:
        answer = await http.get("/")

    assert "content-security-policy" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_one_line_is_logged_per_request_without_query_and_body(
    logs: Logs, build: Build, echo: ASGIApp
) -> None:
    async with client(build({"/": echo})) as http:
        answer = await http.post("/user/42?token=hunter2", content=b"hunter2")
        await http.get("/live")

    (line,) = logs()
    assert line["event"] == "request"
    assert line["method"] == "POST"
    assert line["route"] == "app0"
    assert line["status"] == 200
    assert line["bytes"] == len(answer.content)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["ms"] >= 0
    assert "hunter2" not in str(line)
    assert "42" not in line["route"]


async def test_routes_are_counted_by_their_template(build: Build) -> None:
    router = APIRouter(prefix="/orders")
    api = FastAPI()

    @router.get("/{number}")
    async def order(number: int) -> int:
        return number

    api.include_router(router, prefix="/v1")
    before = counted("GET", "app0", "404")
    async with client(build({"/shop": api})) as http:
        for number in range(3):
            await http.get(f"/shop/v1/orders/{number}")
        await http.get("/shop/nothing/here")

    assert counted("GET", "/shop/v1/orders/{number}", "200") == 3
    assert counted("GET", "app0", "404") - before == 1


async def test_strange_methods_and_paths_make_no_new_labels(build: Build) -> None:
    before = counted("other", "none", "404")

    async with client(build({})) as http:
        for number in range(20):
            await http.request(f"BREW{number}", f"/{number}")

    assert counted("other", "none", "404") - before == 20


async def test_requests_in_flight_are_counted_down_again(build: Build, echo: ASGIApp) -> None:
    during: list[float | None] = []

    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        during.append(REGISTRY.get_sample_value("rightstore_http_in_flight"))
        await echo(scope, receive, send)

    async with client(build({"/": program})) as http:
        await http.get("/")

    assert during == [1]
    assert REGISTRY.get_sample_value("rightstore_http_in_flight") == 0


async def test_an_application_that_gives_no_answer_is_an_error(logs: Logs, build: Build) -> None:
    async def program(_: Scope, __: Receive, ___: Send) -> None:
        return

    async with client(build({"/": program})) as http:
        answer = await http.get("/")

    assert answer.status_code == 500
    assert "the application gave no answer" in [line["event"] for line in logs()]


async def test_websockets_are_refused(build: Build, echo: ASGIApp) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await build({"/": echo})({"type": "websocket", "path": "/"}, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1008}]
