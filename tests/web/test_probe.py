import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.types import ASGIApp

from rightstore.errors import UnavailableError
from rightstore.ports.connection import Pong
from rightstore.ports.placement import Atlas, Placement
from rightstore.runtime.health import Health
from rightstore.telemetry.alarm import Alarms
from rightstore.web.assemble import assemble

Build = Callable[..., ASGIApp]
Start = Callable[[ASGIApp], Awaitable[Any]]


class Lamp:
    """The port with nothing behind it."""

    def __init__(self, store: str, latency: float | None = 0.0012) -> None:
        self.store = store
        self.latency = latency

    async def open(self) -> None:
        pass

    async def ping(self) -> Pong:
        if self.latency is None:
            raise UnavailableError(
                f"{self.store}://:hunter2@host is gone: start it",
                store=self.store,
                operation="ping",
                outcome="not applied",
            )
        return Pong("18.1", self.latency)

    async def close(self) -> None:
        pass


def client(
    *lamps: Lamp,
    foreign: Callable[[], list[dict[str, str]]] = list,
    atlas: Atlas | None = None,
) -> AsyncClient:
    alarms = Alarms()
    health = Health(lamps, alarms=alarms, atlas=atlas)
    program = assemble([], health=health, alarms=alarms, foreign_alarms=foreign)
    return AsyncClient(transport=ASGITransport(program), base_url="http://test")


async def test_live_answers_whatever_the_stores_do() -> None:
    async with client(Lamp("postgres", None)) as http:
        answer = await http.get("/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


async def test_ready_tells_of_each_store() -> None:
    async with client(Lamp("postgres"), Lamp("redis", 0.9)) as http:
        answer = await http.get("/ready")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "stores": {
            "postgres": {"status": "ok", "latency_ms": 1.2, "version": "18.1"},
            "redis": {"status": "degraded", "latency_ms": 900.0, "version": "18.1"},
        },
        "elsewhere": [],
        "alarms": [],
    }


async def test_ready_names_each_entity_that_does_not_live_at_home() -> None:
    async def atlas() -> dict[str, list[Placement]]:
        return {
            "shop": [
                Placement("Product", "mongodb", "mongodb"),
                Placement("Stock", "dynamodb", "postgres"),
            ]
        }

    async with client(Lamp("postgres"), atlas=atlas) as http:
        answer = (await http.get("/ready")).json()

    stock = {"application": "shop", "entity": "Stock", "home": "dynamodb", "store": "postgres"}
    assert answer["elsewhere"] == [stock]
    assert answer["status"] == "ok"


async def test_ready_is_503_when_a_required_store_is_down_and_says_why() -> None:
    async with client(Lamp("postgres", None)) as http:
        answer = await http.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["stores"]["postgres"] == {
        "status": "down",
        "latency_ms": None,
        "version": None,
        "error": "postgres://:***@host is gone: start it",
    }
    (alarm,) = answer.json()["alarms"]
    assert (alarm["alarm"], alarm["subject"]) == ("store-unavailable", "postgres")
    assert "hunter2" not in answer.text


async def test_alarms_of_the_supervisor_degrade() -> None:
    foreign = {"alarm": "disk-low", "subject": "home", "detail": "1 MiB", "remedy": "free it"}

    async with client(Lamp("postgres"), foreign=lambda: [foreign]) as http:
        answer = await http.get("/ready")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["alarms"] == [foreign]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text; version=x", "text/plain; version=0.0.4"),
    ],
)
async def test_metrics_come_in_the_format_that_is_asked_for(accept: str, kind: str) -> None:
    async with client(Lamp("postgres")) as http:
        await http.get("/live")
        answer = await http.get("/metrics", headers={"accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == "no-store"
    assert 'rightstore_http_requests_total{method="GET",route="/live",status="200"}' in answer.text


@pytest.mark.parametrize("path", ["/live", "/ready", "/metrics"])
async def test_only_get_and_head_are_allowed(path: str) -> None:
    async with client(Lamp("postgres")) as http:
        answer = await http.post(path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/live", "/ready", "/metrics", "/nowhere"])
async def test_head_has_the_headers_of_get_and_no_body(
    build: Build, start: Start, path: str
) -> None:
    serving = await start(build({}))

    async with serving.wire() as wire:
        await wire.send(f"HEAD {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
        head, _, body = (await wire.rest()).partition(b"\r\n\r\n")

    assert b"content-length: " in head.lower()
    assert body == b""


async def test_ready_is_json_that_any_parser_takes() -> None:
    async with client(Lamp("postgres", None)) as http:
        answer = await http.get("/ready")

    json.loads(answer.content, parse_constant=pytest.fail)
    assert answer.headers["content-type"] == "application/json"


async def test_an_alarm_of_the_supervisor_is_a_metric_here_until_it_clears() -> None:
    sounding = [{"alarm": "disk-low", "subject": "mirror", "detail": "1 MiB", "remedy": "free it"}]
    line = 'rightstore_alarm{alarm="disk-low",subject="mirror"} %s'

    async with client(Lamp("postgres"), foreign=lambda: sounding) as http:
        before = (await http.get("/metrics")).text
        sounding.clear()
        after = (await http.get("/metrics")).text

    assert line % "1.0" in before
    assert line % "0.0" in after
