"""A cancellation that somebody swallowed comes out all the same."""

import asyncio
from contextlib import suppress

import pytest

from rightstore.cancellation import Cancellable


async def swallow(outcome: Exception | None = None) -> None:
    """Do as a careless driver does."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    if outcome is not None:
        raise outcome


async def guarded(outcome: Exception | None = None) -> str:
    with Cancellable():
        await swallow(outcome)
    return "went on"


@pytest.mark.parametrize("outcome", [None, OSError("lost")])
async def test_a_swallowed_cancellation_is_raised(outcome: Exception | None) -> None:
    task = asyncio.create_task(guarded(outcome))
    await asyncio.wait([task], timeout=0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.__cause__ is outcome


async def test_an_error_without_a_cancellation_is_untouched() -> None:
    with pytest.raises(OSError, match="lost"), Cancellable():
        raise OSError("lost")


async def test_a_timeout_inside_is_no_cancellation() -> None:
    with pytest.raises(TimeoutError), Cancellable():
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()


async def test_a_cancelled_task_may_clean_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            with Cancellable():
                cleaned.append(1)

    task = asyncio.create_task(work())
    await asyncio.wait([task], timeout=0.01)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert cleaned == [1]


def test_without_an_event_loop_it_changes_nothing() -> None:
    with pytest.raises(OSError, match="lost"), Cancellable():
        raise OSError("lost")
