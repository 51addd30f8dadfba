"""The loop that removes what has expired: its batches, its rests, and how it stops."""

import asyncio

import pytest

from rightstore.errors import StoreError, UnavailableError
from rightstore.patterns.retention.run import Pace, Retention, Sweep
from rightstore.testing.clock import VirtualClock

PACE = Pace(batch=10, pause=1.0, rest=60.0)


class Heap:
    """Something of which so many pieces have expired."""

    def __init__(self, expired: int) -> None:
        self.expired = expired
        self.calls: list[int] = []
        self.error: StoreError | None = None

    async def remove(self, limit: int) -> int:
        self.calls.append(limit)
        if self.error is not None:
            raise self.error
        count = min(limit, self.expired)
        self.expired -= count
        return count


async def test_all_of_it_goes_in_batches_with_a_pause_between_them() -> None:
    heap = Heap(expired=25)
    clock = VirtualClock()
    retention = Retention([Sweep("view", heap.remove)], clock=clock, pace=PACE)

    async with running(retention):
        await clock.advance(0.5)
        at_first = heap.expired
        await clock.advance(2)

    assert at_first == 15
    assert heap.expired == 0
    assert heap.calls == [10, 10, 10]


async def test_it_comes_back_after_a_rest() -> None:
    heap = Heap(expired=3)
    clock = VirtualClock()
    retention = Retention([Sweep("view", heap.remove)], clock=clock, pace=PACE)

    async with running(retention):
        await clock.advance(1)
        heap.expired = 4
        await clock.advance(25)
        after_a_short_time = heap.expired
        await clock.advance(66)

    assert after_a_short_time == 4
    assert heap.expired == 0


async def test_a_store_that_fails_is_told_of_and_asked_again_and_stops_no_other() -> None:
    broken, other = Heap(expired=5), Heap(expired=5)
    broken.error = UnavailableError("gone", store="postgres", operation="remove")
    failed: list[str] = []
    clock = VirtualClock()
    retention = Retention(
        [Sweep("broken", broken.remove), Sweep("other", other.remove)],
        clock=clock,
        pace=PACE,
        failed=lambda name, error: failed.append(name),
    )

    async with running(retention):
        await clock.advance(1)
        broken.error = None
        await clock.advance(91)

    assert failed == ["broken"]
    assert (broken.expired, other.expired) == (0, 0)


async def test_it_stops_at_once_while_it_rests() -> None:
    stopping = asyncio.Event()
    retention = Retention([Sweep("view", Heap(0).remove)], clock=VirtualClock(), pace=PACE)
    task = asyncio.create_task(retention.run(stopping))

    stopping.set()

    await asyncio.wait_for(task, 1)


async def test_a_cancellation_is_not_swallowed() -> None:
    clock = VirtualClock()
    retention = Retention([Sweep("view", Heap(0).remove)], clock=clock, pace=PACE)
    task = asyncio.create_task(retention.run(asyncio.Event()))
    await clock.advance(1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_once_removes_everything_and_counts_it() -> None:
    retention = Retention(
        [Sweep("view", Heap(25).remove), Sweep("seen", Heap(2).remove)], pace=PACE
    )

    removed = await retention.once()

    assert removed == 27


class running:  # noqa: N801 - reads as a sentence
    """The loop, running for the block."""

    def __init__(self, retention: Retention) -> None:
        self._stopping = asyncio.Event()
        self._retention = retention

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._retention.run(self._stopping))

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await asyncio.wait_for(self._task, 1)
