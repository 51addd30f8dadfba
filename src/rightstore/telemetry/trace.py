"""Traces for an OpenTelemetry collector, only when OTEL_EXPORTER_OTLP_ENDPOINT is set.

Without it `span` is a no-op. The provider stays ours (it is not made the global one), so that other
instrumentation of the process neither doubles our spans nor exports what we would not.
"""

import os
import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from rightstore.errors import NotConfiguredError, UsageError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
_NOTHING: AbstractContextManager[None] = nullcontext()
_propagator = TraceContextTextMapPropagator()
_tracer: Tracer | None = None


class Tracing:
    """What exports the spans of this process until it is closed."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider

    def close(self, patience: float = 5.0) -> bool:
        """Send what waits, but no longer than that; say whether it all went out in time."""
        global _tracer  # noqa: PLW0603 - one exporter per process, as its variables are
        _tracer = None
        # The exporter retries as long as it likes: a thread that nobody waits for bounds it.
        flush = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        flush.start()
        flush.join(patience)
        return not flush.is_alive()


def configure(service: str = "rightstore") -> Tracing | None:
    """Export spans from now on if an endpoint is set; OTEL_SERVICE_NAME wins over `service`."""
    if not os.environ.get(ENDPOINT):
        return None
    if os.environ.get(PROTOCOL, "http/protobuf") != "http/protobuf":
        raise UsageError(
            f"{PROTOCOL} is not http/protobuf, the only protocol spoken here: unset it, and let "
            f"{ENDPOINT} name the HTTP port of the collector (usually 4318)"
        )
    global _tracer  # noqa: PLW0603 - one exporter per process, as its variables are
    provider = _provider(service)
    _tracer = provider.get_tracer("rightstore")
    return Tracing(provider)


def active() -> bool:
    """Say whether spans are exported: only then is it worth to collect attributes."""
    return _tracer is not None


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    attributes: Mapping[str, str | int] | None = None,
    headers: Iterable[tuple[bytes, bytes]] | None = None,
) -> AbstractContextManager[Span | None]:
    """Begin a span below the current one, or below the one that the headers name (W3C)."""
    if _tracer is None:
        return _NOTHING
    context = None
    if headers is not None:
        texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        context = _propagator.extract(texts)
    # An error's text may quote what a user sent: the span gets its class and outcome elsewhere.
    return _tracer.start_as_current_span(
        name,
        context,
        kind,
        dict(attributes or {}),
        record_exception=False,
        set_status_on_exception=False,
    )


def beside(name: str, attributes: Mapping[str, str | int]) -> Span | None:
    """Begin a span of a store below the current one, which stays the current one."""
    if _tracer is None:
        return None
    return _tracer.start_span(name, kind=SpanKind.CLIENT, attributes=dict(attributes))


def _provider(service: str) -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise NotConfiguredError(
            f"{ENDPOINT} is set, but the OpenTelemetry SDK is not installed: "
            "pip install 'rightstore[otel]', or unset it"
        ) from error
    name = os.environ.get("OTEL_SERVICE_NAME") or service
    provider = TracerProvider(
        resource=Resource.create({"service.name": name}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
