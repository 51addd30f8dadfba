"""What waits together leaves together; waiting that a cancellation does not break off."""

import asyncio

import pytest

from rightstore.adapters.postgres.gather import MOST, Ask, Gathering
from rightstore.adapters.postgres.outcome import settled
from rightstore.clock import SYSTEM
from rightstore.errors import UnavailableError


class Lane:
    """Answers each ask with its own value, when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()

    async def run(self, batch: list[Ask]) -> None:
        self.batches.append([ask.statement for ask in batch])
        await self.gate.wait()
        for ask in batch:
            ask.give(ask.values[0])


async def test_what_is_asked_while_all_are_busy_leaves_together() -> None:
    lane = Lane()
    gathering = Gathering([lane.run])
    first = asyncio.ensure_future(gathering.ask("first", (1,)))
    await SYSTEM.sleep(0)
    rest = [asyncio.ensure_future(gathering.ask(f"next {n}", (n,))) for n in range(3)]
    await SYSTEM.sleep(0)

    lane.gate.set()

    assert await first == 1
    assert await asyncio.gather(*rest) == [0, 1, 2]
    assert lane.batches == [["first"], ["next 0", "next 1", "next 2"]]


async def test_what_is_asked_in_one_turn_leaves_at_once_and_together() -> None:
    lane = Lane()
    lane.gate.set()
    gathering = Gathering([lane.run])

    await asyncio.gather(*(gathering.ask("it", (n,)) for n in range(MOST + 1)))
    await gathering.close()

    assert [len(batch) for batch in lane.batches] == [MOST, 1]


async def test_what_nobody_waits_for_any_more_is_left_out() -> None:
    lane = Lane()
    gathering = Gathering([lane.run])
    first = asyncio.ensure_future(gathering.ask("first", (1,)))
    await SYSTEM.sleep(0)
    given_up = asyncio.ensure_future(gathering.ask("given up", (2,)))
    kept = asyncio.ensure_future(gathering.ask("kept", (3,)))
    await SYSTEM.sleep(0)

    given_up.cancel()
    await SYSTEM.sleep(0)
    lane.gate.set()

    assert [await first, await kept] == [1, 3]
    assert lane.batches == [["first"], ["kept"]]


async def test_a_lane_that_breaks_leaves_no_caller_waiting() -> None:
    async def broken(_: list[Ask]) -> None:
        return

    gathering = Gathering([broken])

    with pytest.raises(UnavailableError) as caught:
        await gathering.ask("it", ())

    assert caught.value.outcome == "unknown"


async def test_a_cancellation_waits_until_the_work_is_over() -> None:
    gate, over = asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        over.append(True)

    task = asyncio.create_task(settled(work(), 10.0, lambda: None))
    await SYSTEM.sleep(0)
    for _ in range(3):
        task.cancel()
        await SYSTEM.sleep(0)
    assert not task.done()

    gate.set()
    await asyncio.wait([task])

    assert task.cancelled()
    assert over == [True]


async def test_work_that_takes_too_long_is_given_up() -> None:
    gate = asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "ended"

    assert await settled(work(), 0.01, gate.set) == "ended"


async def test_an_error_of_the_work_comes_out() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await settled(work(), 1.0, lambda: None)
