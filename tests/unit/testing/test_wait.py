"""Waiting for an event."""

import asyncio

import pytest

from rightstore.testing.clock import VirtualClock
from rightstore.testing.wait import until


async def test_it_returns_as_soon_as_the_condition_holds() -> None:
    clock = VirtualClock()
    seen: list[int] = []
    task = asyncio.create_task(until(lambda: seen, every=1.0, clock=clock))
    await clock.advance(3)
    assert not task.done()

    seen.append(1)
    await clock.advance(1)

    assert task.done()
    await task


async def test_it_fails_when_the_time_is_up() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(until(lambda: False, seconds=2.0, every=1.0, clock=clock))

    await clock.advance(3)

    with pytest.raises(AssertionError, match="Waited 2 s in vain"):
        await task


async def test_a_condition_that_fails_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        await until(lambda: 1 / 0)
