"""L1, outcome honesty: what is reported as done is there, what is reported as failed never is.

Every write leaves its own mark in a list, so the truth is read at the end. Replies are lost, wires
cut and connections reset exactly at the write, while others write the same records. It cannot see
a server that acknowledges and forgets.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

from rightstore.errors import StateError, StoreError
from rightstore.ids import new_id
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.ports.records import Batch, Change, Put, RecordStore
from tests.laws.store import Way, both_ways

LANES, ROUNDS = 6, 6
PATIENCE = {"postgres": 0.5, "mongodb": 0.5, "dynamodb": 2.0}
FAULTS = ("silence", "reset", "cut", "none")
Outcome = Literal["ok", "fail", "unknown"]


class Page(Entity, group="pages"):
    """A record that keeps the marks of all that was written to it."""

    id: Field[str]
    marks: Field[list[str]] = field(default_factory=list)


PAGE = declaration_of(Page)
KEYS = ("one", "two")


@dataclass(frozen=True, slots=True)
class Told:
    """What a writer was told of one write, and which records the write was about."""

    mark: str
    keys: tuple[str, ...]
    outcome: Outcome


def push(key: str, mark: str) -> Change:
    """Return the write that leaves a mark in a record."""
    return Change(key, (Page.marks.push(mark),))


async def change(store: RecordStore, mark: str) -> tuple[str, ...]:
    """Leave the mark by an edit."""
    await store.records(PAGE).change(push("one", mark))
    return ("one",)


async def replace(store: RecordStore, mark: str) -> tuple[str, ...]:
    """Leave the mark by storing the whole record, guarded by its version."""
    found = await store.records(PAGE).get("two")
    assert found is not None
    data = {"id": "two", "marks": [*found.data["marks"], mark]}
    await store.records(PAGE).put(Put("two", data, expect=found.version))
    return ("two",)


async def both(store: RecordStore, mark: str) -> tuple[str, ...]:
    """Leave the mark in two records, in both or in none."""
    batch: Batch = [(PAGE, push(key, mark)) for key in KEYS]
    await store.write(batch)
    return KEYS


WRITES: dict[str, Callable[[RecordStore, str], Awaitable[tuple[str, ...]]]] = {
    "change": change,
    "replace": replace,
    "both": both,
}


async def tell(store: RecordStore, kind: str, mark: str) -> Told:
    """Write, and say what the store said of it."""
    keys = KEYS if kind == "both" else ("one",) if kind == "change" else ("two",)
    try:
        await WRITES[kind](store, mark)
    except StateError:
        return Told(mark, keys, "fail")
    except StoreError as error:
        return Told(mark, keys, "fail" if error.outcome == "not applied" else "unknown")
    return Told(mark, keys, "ok")


async def lane(way: Way, number: int) -> list[Told]:
    """Write through a wire that breaks at the write, again and again."""
    luck = random.Random(number)  # noqa: S311 - a schedule, no secret
    told = []
    for turn in range(ROUNDS):
        mark = f"lane-{number}-{turn}-{new_id()}"
        fault = FAULTS[(number + turn) % len(FAULTS)]
        breaking = asyncio.create_task(broken(way, fault, mark, luck))
        told.append(await tell(way.broken, luck.choice(list(WRITES)), mark))
        breaking.cancel()
        await asyncio.gather(breaking, return_exceptions=True)
        way.proxy.reset()
        await way.proxy.heal()
    return told


async def broken(way: Way, fault: str, mark: str, luck: random.Random) -> None:
    """Let the wire break as soon as this mark went to the server."""
    if fault == "cut":
        way.proxy.to_client.cut_after(luck.randrange(400))
    elif fault != "none":
        way.proxy.drop_replies_after(mark.encode())
        await way.proxy.marked.wait()
        if fault == "reset":
            way.proxy.reset()


async def neighbour(store: RecordStore, number: int, stop: asyncio.Event) -> list[Told]:
    """Write the same records over a sound wire, so that write ids are overwritten."""
    told = []
    while not stop.is_set():
        told.append(await tell(store, "change", f"neighbour-{number}-{new_id()}"))
    return told


async def test_what_is_reported_is_what_is_there(store: str, url: str, namespace: str) -> None:
    async with AsyncExitStack() as stack:
        ways = [
            await stack.enter_async_context(
                both_ways(store, url, namespace, [PAGE], timeout=PATIENCE[store])
            )
            for _ in range(LANES)
        ]
        straight = ways[0].straight
        for key in KEYS:
            await straight.records(PAGE).put(Put(key, {"id": key, "marks": []}))
        stop = asyncio.Event()
        near = asyncio.create_task(neighbour(straight, 0, stop))

        try:
            histories = await asyncio.gather(*(lane(way, n) for n, way in enumerate(ways)))
        finally:
            stop.set()
            await near

        told = [each for history in [*histories, await near] for each in history]
        found = await straight.records(PAGE).get_many(KEYS)
        there = {key: page.data["marks"] for key, page in zip(KEYS, found, strict=True) if page}
        assert judge(told, there) == []
        assert sum(way.proxy.to_client.dropped for way in ways)
        known = [each for history in histories for each in history if each.outcome != "unknown"]
        assert len(known) >= LANES * ROUNDS // 3  # "unknown" for everything would be no answer


def judge(told: list[Told], there: dict[str, list[str]]) -> list[str]:
    """Return every lie; an empty list when there is none."""
    lies = []
    for each in told:
        counts = {there[key].count(each.mark) for key in each.keys}
        if counts - {0, 1} or len(counts) > 1:
            lies.append(f"{each.mark} {each.keys}: {each.outcome}, found {sorted(counts)} times")
        elif (each.outcome == "ok" and counts == {0}) or (each.outcome == "fail" and counts == {1}):
            lies.append(f"{each.mark}: told {each.outcome}, found {counts.pop()} times")
    return lies
