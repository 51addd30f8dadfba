"""The one wrapper around all that is served: request id, limits, headers, log, metrics, failures.

It routes nothing and reads no body. Every microsecond here is paid by every request.
"""

import asyncio
import re
from dataclasses import dataclass
from random import getrandbits

import structlog
from opentelemetry.trace import SpanKind, StatusCode
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from rightstore.clock import SYSTEM, Clock
from rightstore.telemetry import trace
from rightstore.telemetry.log import request_id
from rightstore.telemetry.metric import HTTP_IN_FLIGHT, count_request, method_label
from rightstore.web.application import route_of
from rightstore.web.deadline import Deadlines
from rightstore.web.failure import INTERNAL, TIMED_OUT, TOO_LARGE, Failure, failure_of, report
from rightstore.web.protocol import LEAVE

logger = structlog.get_logger(__name__)
QUIET = frozenset({"/live", "/ready", "/metrics"})
DEFAULT_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
CSP = (b"content-security-policy", b"default-src 'none'")
_sane_id = re.compile(rb"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """How large a request may be in bytes, and how long it may take in seconds."""

    body: int = 4 * 1024 * 1024
    timeout: float = 30.0


class Exchange:
    """One request and its answer, watched while they pass."""

    __slots__ = (
        "_limit",
        "_receive",
        "_send",
        "_taken",
        "cut",
        "declared",
        "ended",
        "expired",
        "gone",
        "id",
        "length",
        "scope",
        "status",
        "task",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._limit = limit
        self._taken = 0
        self.status = 0
        self.length = 0
        self.declared = 0
        self.cut = False
        self.ended = False
        self.expired = False
        self.gone = False
        self.task: asyncio.Task[None] | None = None
        given = b""
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.declared = int(value) if value.isdigit() else 0
            elif name == b"x-request-id":
                given = value
        self.id = given.decode() if _sane_id.fullmatch(given) else _request_id()

    async def receive(self) -> Message:
        """Pass the body on; beyond the limit, answer: the application sees the client go."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._limit:
                await self.fail(TOO_LARGE)
                message = {"type": "http.disconnect"}
        self.gone = self.gone or message["type"] == "http.disconnect"
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on with our headers; drop what comes after an answer of our own."""
        if self.cut:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._complete(list(message.get("headers", ())))}
        elif message["type"] == "http.response.body":
            self.length += len(message.get("body", b""))
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.ended = True

    async def fail(self, failure: Failure) -> None:
        """Answer with a failure if nothing was sent yet; else let the answer end where it is."""
        if not self.cut and not self.status:
            body = failure.body()
            headers = failure.header_list(body)
            start = {"type": "http.response.start", "status": failure.status, "headers": headers}
            await self.send(start)
            await self.send({"type": "http.response.body", "body": body})
        self.cut = True

    def expire(self) -> None:
        """End the work on it: its time is over."""
        self.expired = True
        leave = self.scope.get(LEAVE)
        if leave is not None and not self.ended:
            # Whatever is sent now may wait for a client that does not read.
            leave()
        if self.task is not None:
            self.task.cancel()

    def _complete(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        given = dict(headers)
        headers += [header for header in DEFAULT_HEADERS if header[0] not in given]
        if given.get(b"content-type", b"").startswith(b"application/json") and CSP[0] not in given:
            headers.append(CSP)
        if b"x-request-id" not in given:
            headers.append((b"x-request-id", self.id.encode()))
        return headers


class Edge:
    """Wraps an ASGI program."""

    def __init__(
        self, program: ASGIApp, limits: EdgeLimits | None = None, clock: Clock = SYSTEM
    ) -> None:
        self._program = program
        self._limits = limits or EdgeLimits()
        self._deadlines = Deadlines(self._limits.timeout)
        self._clock = clock
        # Bound once: looking the configuration up again for each line costs as much as writing it.
        self._log: FilteringBoundLogger = structlog.get_logger(__name__).bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens inside."""
        if scope["type"] == "lifespan":
            await self._program(scope, receive, send)
        elif scope["type"] == "http":
            await self._watch(Exchange(scope, receive, send, self._limits.body))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _watch(self, exchange: Exchange) -> None:
        began = self._clock.monotonic()
        request_id.set(exchange.id)
        HTTP_IN_FLIGHT.inc()
        try:
            if trace.active():
                await self._trace(exchange)
            else:
                await self._serve(exchange)
        finally:
            HTTP_IN_FLIGHT.dec()
            self._record(exchange, self._clock.monotonic() - began)

    async def _trace(self, exchange: Exchange) -> None:
        scope = exchange.scope
        method = method_label(scope["method"])
        with trace.span(method, SpanKind.SERVER, headers=scope["headers"]) as span:
            await self._serve(exchange)
            if span is not None:
                route = route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", exchange.status)
                if exchange.status >= INTERNAL.status:
                    span.set_status(StatusCode.ERROR)

    async def _serve(self, exchange: Exchange) -> None:
        """Run the program within the limits and see to it that there is an answer."""
        if exchange.declared > self._limits.body:
            await exchange.fail(TOO_LARGE)
            return
        try:
            await self._run(exchange)
        except Exception as error:  # noqa: BLE001 - here every error becomes an answer
            failure = failure_of(error)
            if not (exchange.gone and isinstance(error, ClientDisconnect)):
                report(error, failure)
            await exchange.fail(failure)
        if exchange.expired:
            await exchange.fail(TIMED_OUT)
        elif not exchange.status and not exchange.gone:
            logger.error("the application gave no answer", route=route_of(exchange.scope))
            await exchange.fail(INTERNAL)

    async def _run(self, exchange: Exchange) -> None:
        """Run the program until it is done or its time is over."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - ASGI servers run a request in a task
        exchange.task = task
        self._deadlines.watch(exchange)
        try:
            await self._program(exchange.scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            # Ours only if nobody else asked for it as well: a server that stops must be obeyed.
            if not exchange.expired or task.uncancel():
                raise
        else:
            if exchange.expired:
                task.uncancel()
        finally:
            self._deadlines.forget(exchange)

    def _record(self, exchange: Exchange, seconds: float) -> None:
        scope = exchange.scope
        method = method_label(scope["method"])
        route = route_of(scope)
        count_request(method, route, str(exchange.status or "none"), seconds)
        log = self._log.debug if route in QUIET else self._log.info
        log(
            "request",
            method=method,
            route=route,
            status=exchange.status,
            ms=round(seconds * 1000, 3),
            bytes=exchange.length,
        )


def _request_id() -> str:
    """Return 128 random bits. An ordered id (`ids.new_id`) costs a third of the whole edge."""
    return f"{getrandbits(128):032x}"
