"""Ten thousand rows, paged through while others are added and removed, on every real store.

What was there from the first page to the last is seen exactly once. Small cases and ties are the
business of test_records_page.
"""

import asyncio
import random

import pytest
from tests.laws.store import STORES, opened, room

from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.model.wish import Index
from rightstore.ports.connection import Target
from rightstore.repository.repository import Repository

ROWS, PAGE, BULK, ROOM = 10_000, 500, 1_000, "hall"


class Row(Entity, indexes=[Index("room", "rank")]):
    """A row with many of the same rank, so that pages end in the middle of a tie."""

    id: Field[str]
    room: Field[str]
    rank: Field[int]


def row(number: int, prefix: str = "r") -> Row:
    return Row(id=f"{prefix}{number:06}", room=ROOM, rank=number % 37)


async def disturb(rows: Repository[Row], doomed: list[str], stop: asyncio.Event) -> int:
    """Add and remove rows until told to stop; return how many writes that were."""
    luck, writes = random.Random(7), 0  # noqa: S311 - a schedule, no secret
    while not stop.is_set():
        await rows.put(row(luck.randrange(10**6), f"new{writes}-"))
        if doomed:
            await rows.delete(doomed.pop())
        writes += 1
    return writes


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Each store of records in turn."""
    return str(request.param)


# DynamoDB Local takes a multiple for a write when many tables were made in it before.
@pytest.mark.timeout(600)
async def test_every_row_that_stays_is_seen_exactly_once(
    store: str, url: str, namespace: str
) -> None:
    target = Target(store, url)
    async with room(target, namespace, [declaration_of(Row)]), opened(target, namespace) as made:
        rows = Repository(Row, made, at=store)
        for start in range(0, ROWS, BULK):
            await rows.put_many([row(number) for number in range(start, start + BULK)])
        doomed = [f"r{number:06}" for number in range(0, ROWS, 5)]
        staying = {f"r{number:06}" for number in range(ROWS)} - set(doomed)
        stop = asyncio.Event()
        disturbing = asyncio.create_task(disturb(rows, doomed, stop))
        query = rows.find(Row.room == ROOM).sort(Row.rank.asc())
        seen: list[str] = []

        page = await query.page(PAGE)
        while True:
            seen += [each.id for each in page.items]
            if page.next is None:
                break
            page = await query.page(PAGE, after=page.next)

        stop.set()
        assert await disturbing
        kept = [key for key in seen if key in staying]
        assert len(kept) == len(staying)
        assert set(kept) == staying
        assert len(set(seen)) == len(seen)
