"""Wait for an event instead of for a while. It retries nothing and swallows no error."""

from collections.abc import Callable

from rightstore.clock import SYSTEM, Clock


async def until(
    condition: Callable[[], object],
    *,
    seconds: float = 10.0,
    every: float = 0.002,
    clock: Clock = SYSTEM,
) -> None:
    """Return as soon as the condition holds; AssertionError when it does not within the time."""
    deadline = clock.monotonic() + seconds
    while not condition():
        if clock.monotonic() >= deadline:
            raise AssertionError(f"Waited {seconds:g} s in vain for {condition!r}.")
        await clock.sleep(every)
