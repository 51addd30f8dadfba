"""Spans of a request and of its store operation, as a collector gets them over HTTP."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from rightstore.clock import SYSTEM
from rightstore.errors import NotConfiguredError, UnavailableError, UsageError
from rightstore.telemetry import trace
from rightstore.telemetry.operation import Block, measured

Build = Callable[..., ASGIApp]
Start = Callable[[ASGIApp], Awaitable[Any]]
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "1122334455667788"


class Collector:
    """What an OTLP collector does: it takes what it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"] == "/v1/traces"
        body = await Request(scope, receive).body()
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = {
                each.key: each.value.string_value for each in resource.resource.attributes
            }
            self.services.add(attributes["service.name"])
            self.spans += [span for each in resource.scope_spans for span in each.spans]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def collector(start: Start, monkeypatch: pytest.MonkeyPatch) -> Collector:
    collector = Collector()
    serving = await start(collector)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", serving.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    return collector


@pytest.fixture
async def tracing(collector: Collector) -> AsyncIterator[trace.Tracing]:
    configured = trace.configure("shop")
    assert configured is not None
    yield configured
    await asyncio.to_thread(configured.close)


async def program(scope: Scope, _: Receive, send: Send) -> None:
    with measured("postgres", "get"):
        pass
    if scope["path"] == "/gone":
        with measured("redis", "get"):
            raise UnavailableError("x", store="redis", operation="get")
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


async def test_a_request_and_its_store_operation_are_one_trace_below_the_callers(
    build: Build, start: Start, collector: Collector, tracing: trace.Tracing
) -> None:
    serving = await start(build({"/": program}))

    async with serving.client() as http:
        await http.get("/user/42?q=hunter2", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    sent = await asyncio.to_thread(tracing.close)

    store, request = collector.spans
    assert sent
    assert (request.name, store.name) == ("GET app0", "postgres get")
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert request.parent_span_id.hex() == PARENT
    assert store.parent_span_id == request.span_id
    assert (request.kind, store.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert attributes(request)["http.response.status_code"] == 204
    assert attributes(store)["rightstore.outcome"] == "ok"
    assert collector.services == {"shop"}
    assert "hunter2" not in str(collector.spans)
    assert "/user/42" not in str(collector.spans)


async def test_a_failure_marks_both_spans_without_its_text(
    build: Build, start: Start, collector: Collector, tracing: trace.Tracing
) -> None:
    serving = await start(build({"/": program}))

    async with serving.client() as http:
        await http.get("/gone")
    await asyncio.to_thread(tracing.close)

    status = {span.name: span.status.code for span in collector.spans}
    outcome = {span.name: attributes(span).get("rightstore.outcome") for span in collector.spans}
    assert status["redis get"] == status["GET app0"] != status["postgres get"]
    assert outcome["redis get"] == "unknown"
    assert not any(span.events for span in collector.spans)


async def test_a_block_that_several_tasks_share_is_one_span_and_nobodys_parent(
    collector: Collector, tracing: trace.Tracing
) -> None:
    async def use(block: Block) -> None:
        block.begin()
        with measured("postgres", "get"):
            pass

    async def fail() -> None:
        with Block("postgres", "transaction", SYSTEM) as block:
            await asyncio.gather(use(block), use(block))
            raise ZeroDivisionError

    with Block("postgres", "transaction", SYSTEM):
        pass
    with trace.span("request"), pytest.raises(ZeroDivisionError):
        await fail()
    await asyncio.to_thread(tracing.close)

    spans = {span.name: span for span in collector.spans}
    assert sorted(span.name for span in collector.spans) == [
        "postgres get",
        "postgres get",
        "postgres transaction",
        "request",
    ]
    for name in ("postgres get", "postgres transaction"):
        assert spans[name].parent_span_id == spans["request"].span_id
    assert attributes(spans["postgres transaction"])["rightstore.outcome"] == "not applied"


async def test_closing_waits_no_longer_than_told(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def silent(_: Scope, __: Receive, send: Send) -> None:
        await gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    serving = await start(silent)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", serving.url)
    configured = trace.configure()
    assert configured is not None
    with measured("postgres", "get"):
        pass

    sent = await asyncio.to_thread(configured.close, 0.2)
    gate.set()

    assert sent is False
    assert not trace.active()


def test_nothing_happens_without_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)

    assert trace.configure() is None
    assert not trace.active()
    with trace.span("a") as first, trace.span("b") as second:
        assert first is second is None


def test_a_missing_sdk_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(NotConfiguredError, match=r"pip install 'rightstore\[otel\]'"):
        trace.configure()


def test_a_protocol_that_is_not_spoken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    with pytest.raises(UsageError, match="http/protobuf"):
        trace.configure()
