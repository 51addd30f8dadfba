"""The clock that a test turns by hand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rightstore import clock as real
from rightstore.errors import UsageError
from rightstore.testing.clock import VirtualClock


async def test_time_stands_still_until_it_is_advanced() -> None:
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))

    assert (clock.now(), clock.monotonic()) == (datetime(2026, 1, 1, tzinfo=UTC), 0.0)
    await clock.advance(1.5)

    assert clock.now() == datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert clock.monotonic() == 1.5


async def test_the_time_of_day_is_cut_to_milliseconds() -> None:
    clock = VirtualClock(datetime(2026, 1, 1, microsecond=1_999, tzinfo=UTC))

    assert clock.now().microsecond == 1_000


async def test_sleepers_wake_in_order_each_at_its_own_moment() -> None:
    clock = VirtualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        for name, seconds in [("c", 3.0), ("a", 1.0), ("b", 2.0), ("a2", 1.0), ("late", 9.0)]:
            group.create_task(sleeper(name, seconds))
        await clock.advance(5)
        assert woken == [("a", 1.0), ("a2", 1.0), ("b", 2.0), ("c", 3.0)]
        await clock.advance(5)

    assert woken[-1] == ("late", 9.0)
    assert clock.monotonic() == 10.0


async def test_a_task_that_sleeps_again_and_again_gets_every_turn() -> None:
    clock = VirtualClock()
    beats: list[float] = []

    async def heart() -> None:
        while True:
            await clock.sleep(1)
            beats.append(clock.monotonic())

    task = asyncio.create_task(heart())
    await clock.advance(4.5)
    task.cancel()

    assert beats == [1.0, 2.0, 3.0, 4.0]


async def test_what_is_woken_runs_on_until_it_waits_again() -> None:
    clock = VirtualClock()
    queue: asyncio.Queue[int] = asyncio.Queue()
    seen: list[int] = []

    async def producer() -> None:
        await clock.sleep(1)
        for number in range(10):
            await queue.put(number)

    async def consumer() -> None:
        while len(seen) < 10:
            seen.append(await queue.get())

    async with asyncio.TaskGroup() as group:
        group.create_task(producer())
        group.create_task(consumer())
        await clock.advance(1)
        assert seen == [*range(10)]


async def test_a_cancelled_sleeper_is_passed_over() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(1))
    await clock.advance(0)

    task.cancel()
    await clock.advance(2)

    assert task.cancelled()
    assert clock.monotonic() == 2.0


async def test_a_sleeper_cancelled_in_the_turn_that_would_wake_it_is_left_alone() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(0))
    asyncio.get_running_loop().call_soon(task.cancel)

    await clock.advance(0)

    assert task.cancelled()


@pytest.mark.parametrize("seconds", [0, -1])
async def test_a_sleep_of_no_time_lets_others_run_and_returns(seconds: float) -> None:
    clock = VirtualClock()
    ran: list[bool] = []
    asyncio.get_running_loop().call_soon(lambda: ran.append(True))

    await clock.sleep(seconds)

    assert ran
    assert clock.monotonic() == 0.0


async def test_skew_moves_the_time_of_day_and_nothing_else() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(10))
    await clock.advance(4)
    skewed = clock.now() - timedelta(minutes=10)

    clock.set(skewed)

    assert clock.now() == skewed
    assert clock.monotonic() == 4.0
    await clock.advance(6)
    assert task.done()
    assert clock.now() == skewed + timedelta(seconds=6)


async def test_in_its_block_it_is_the_clock_of_everything_started_there() -> None:
    async def ask() -> datetime:
        return real.now()

    with VirtualClock() as outer:
        with VirtualClock(datetime(2040, 1, 1, tzinfo=UTC)) as inner:
            assert await asyncio.create_task(ask()) == inner.now()
        assert real.now() == outer.now()

    assert real.current.get() is real.SYSTEM


async def test_time_does_not_run_backwards_and_needs_a_zone() -> None:
    clock = VirtualClock()

    with pytest.raises(UsageError, match="does not run backwards"):
        await clock.advance(-1)
    with pytest.raises(UsageError, match="needs a zone"):
        clock.set(datetime(2026, 1, 1))  # noqa: DTZ001 - that it has none is the point
