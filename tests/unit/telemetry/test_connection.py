import asyncio

import pytest
from prometheus_client import REGISTRY

from rightstore.errors import (
    ConditionError,
    NotConfiguredError,
    RejectedError,
    UnavailableError,
)
from rightstore.ports.connection import Connection, Pong
from rightstore.telemetry.connection import Measured
from rightstore.telemetry.operation import measured
from rightstore.testing.clock import VirtualClock


class Lamp:
    """The port with nothing behind it: what it does is set from outside."""

    def __init__(self, store: str, error: BaseException | None = None) -> None:
        self.store = store
        self.error = error
        self.calls: list[str] = []

    async def open(self) -> None:
        self.calls.append("open")

    async def ping(self) -> Pong:
        self.calls.append("ping")
        if self.error is not None:
            raise self.error
        return Pong("1.0", 0.001)

    async def close(self) -> None:
        self.calls.append("close")


def counted(store: str, operation: str, outcome: str) -> float:
    labels = {"store": store, "operation": operation, "outcome": outcome}
    return REGISTRY.get_sample_value("rightstore_store_operations_total", labels) or 0


async def test_every_call_reaches_the_connection_and_is_counted() -> None:
    lamp = Lamp("every-call")
    connection: Connection = Measured(lamp)

    await connection.open()
    pong = await connection.ping()
    await connection.close()

    assert pong == Pong("1.0", 0.001)
    assert connection.store == "every-call"
    assert lamp.calls == ["open", "ping", "close"]
    assert [counted("every-call", each, "ok") for each in lamp.calls] == [1, 1, 1]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (UnavailableError("x", store="s", operation="o", outcome="not applied"), "not applied"),
        (RejectedError("x", store="s", operation="o"), "unknown"),
        (ConditionError("x"), "refused"),
        (NotConfiguredError("x"), "not applied"),
        (asyncio.CancelledError(), "cancelled"),
        (ZeroDivisionError(), "unknown"),
    ],
)
async def test_an_error_passes_unchanged_and_is_counted_by_its_outcome(
    error: BaseException, outcome: str
) -> None:
    store = f"outcome-{type(error).__name__}"

    with pytest.raises(type(error)) as raised:
        await Measured(Lamp(store, error)).ping()

    assert raised.value is error
    assert counted(store, "ping", outcome) == 1


async def test_latency_and_bytes_are_measured() -> None:
    clock = VirtualClock()

    with measured("measure", "get", clock) as operation:
        await clock.advance(0.25)
        operation.moved(sent=10, received=300)

    seconds = REGISTRY.get_sample_value(
        "rightstore_store_seconds_sum", {"store": "measure", "operation": "get"}
    )
    received = REGISTRY.get_sample_value(
        "rightstore_store_bytes_total", {"store": "measure", "direction": "received"}
    )
    assert seconds == 0.25
    assert received == 300
