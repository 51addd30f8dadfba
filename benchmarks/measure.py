"""Times two ways of doing the same in alternating rounds. Only their ratio means something."""

import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do an operation: what each call is given, which is not timed, and the call."""

    given: Callable[[], Any]
    do: Callable[[Any], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Pair:
    """One operation: our way, the raw driver's, and how many calls make half a round."""

    name: str
    ours: Way
    raw: Way
    calls: int
    # Of so many rounds it has one: some operations are too long for all of them.
    every: int = 1


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as long as the raw driver: the median of the rounds, and the middle half."""

    median: float
    low: float
    high: float


async def ratio_of(pair: Pair, *, rounds: int) -> Ratio:
    """Return the ratio, over rounds whose halves change places."""
    found = []
    for number in range(-WARM_UP, max(1, rounds // pair.every)):
        if number % 2:
            ours, raw = await _time(pair.ours, pair.calls), await _time(pair.raw, pair.calls)
        else:
            raw, ours = await _time(pair.raw, pair.calls), await _time(pair.ours, pair.calls)
        if number >= 0:
            found.append(ours / raw)
    return spread(found)


def spread(ratios: list[float]) -> Ratio:
    """Return the median and the middle half of what the rounds gave."""
    ordered = sorted(ratios)
    quarter = len(ordered) // 4
    return Ratio(median(ordered), ordered[quarter], ordered[-1 - quarter])


async def _time(way: Way, calls: int) -> float:
    given = [way.given() for _ in range(calls)]
    # A collection would hit one of the two ways at random.
    gc.collect()
    gc.disable()
    try:
        before = time.perf_counter()
        for each in given:
            await way.do(each)
        return time.perf_counter() - before
    finally:
        gc.enable()
