"""One operation on a store, measured: every wrapper of a port uses this and nothing else."""

from asyncio import CancelledError
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from opentelemetry.trace import Span, SpanKind, StatusCode

from rightstore.clock import SYSTEM, Clock
from rightstore.errors import StateError, StoreError, UsageError
from rightstore.telemetry import trace
from rightstore.telemetry.metric import count_bytes, count_operation


class Operation:
    """Counts an operation when it ends: latency, outcome, span. It never changes how it ends."""

    __slots__ = ("_began", "_clock", "_current", "_name", "_span", "_store")

    def __init__(self, store: str, name: str, clock: Clock) -> None:
        self._store = store
        self._name = name
        self._clock = clock
        self._current: AbstractContextManager[Span | None] | None = None
        self._span: Span | None = None

    def __enter__(self) -> Self:
        if trace.active():
            attributes = _attributes(self._store, self._name)
            name = f"{self._store} {self._name}"
            self._current = trace.span(name, SpanKind.CLIENT, attributes=attributes)
            self._span = self._current.__enter__()
        self._began = self._clock.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        outcome = "ok" if error is None else outcome_of(error)
        count_operation(self._store, self._name, outcome, self._clock.monotonic() - self._began)
        _tell(self._span, outcome, error)
        if self._current is not None:
            self._current.__exit__(None, None, None)

    def moved(self, *, sent: int = 0, received: int = 0) -> None:
        """Count the bytes of records that went to the store and came from it."""
        count_bytes(self._store, sent=sent, received=received)


def measured(store: str, operation: str, clock: Clock = SYSTEM) -> Operation:
    """Measure the block as one operation on a store: `with measured("redis", "get") as m:`."""
    return Operation(store, operation, clock)


class Block:
    """Counts a block of somebody else's code as one operation, if `begin` was called in it.

    Tasks may share the block, so its span is nobody's parent. An error that no store raised ends it
    before anything is written.
    """

    __slots__ = ("_began", "_clock", "_name", "_span", "_store")

    def __init__(self, store: str, name: str, clock: Clock) -> None:
        self._store, self._name, self._clock = store, name, clock
        self._began: float | None = None
        self._span: Span | None = None

    def begin(self) -> None:
        """Say that the store is needed; again does nothing."""
        if self._began is None:
            self._began = self._clock.monotonic()
            attributes = _attributes(self._store, self._name)
            self._span = trace.beside(f"{self._store} {self._name}", attributes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._began is None:
            return
        outcome = "ok" if error is None else outcome_of(error, otherwise="not applied")
        count_operation(self._store, self._name, outcome, self._clock.monotonic() - self._began)
        _tell(self._span, outcome, error)
        if self._span is not None:
            self._span.end()


def _attributes(store: str, name: str) -> dict[str, str | int]:
    return {"db.system.name": store, "db.operation.name": name}


def _tell(span: Span | None, outcome: str, error: BaseException | None) -> None:
    """Say in the span how the operation ended."""
    if span is not None:
        span.set_attribute("rightstore.outcome", outcome)
        if error is not None and outcome != "refused":
            span.set_status(StatusCode.ERROR, type(error).__name__)


def outcome_of(error: BaseException, otherwise: str = "unknown") -> str:
    """Return how an operation that raised this ended, as one of a few words."""
    if isinstance(error, StoreError):
        return error.outcome
    if isinstance(error, StateError):
        return "refused"
    if isinstance(error, CancelledError):
        return "cancelled"
    return "not applied" if isinstance(error, UsageError) else otherwise
