"""Pages stay right while rows are written between them, on every store of records.

It cannot catch what only writes during a single call would break.
"""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.test_records_suite import BUILDERS, Urls, urls_of

from rightstore.adapters.memory import table
from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.ids import new_id
from rightstore.model.evaluate import is_after, position
from rightstore.ports.records import Change, Delete, Find, RecordStore
from rightstore.testing.contract.sample import SAMPLE, Sample, fill, new, sorted_by

Ranks = list[int | None]
# Between two pages: insert this rank, delete the row of this place, move that row to this rank.
Step = tuple[str, int, int | None]

ranks = st.none() | st.integers(-2, 2)
steps = st.tuples(st.sampled_from(["insert", "delete", "move"]), st.integers(0, 20), ranks)


class Room:
    """Some samples of one room, and which of them have kept their place since the first page."""

    def __init__(self, store: RecordStore) -> None:
        self.store, self.name, self.number = store, new_id(), count()
        self.keys: list[str] = []
        self.moved: set[str] = set()

    async def begin(self, given: Ranks) -> None:
        made = [self.sample(rank) for rank in given]
        await fill(self.store, made)
        self.keys = [one.id for one in made]

    def sample(self, rank: int | None) -> Sample:
        # Keys in an order of their own, so that new ones come before and after old ones.
        return Sample(id=f"{self.name}{next(self.number) * 7 % 100:03}", room=self.name, rank=rank)

    async def step(self, what: str, place: int, rank: int | None) -> None:
        records = self.store.records(SAMPLE)
        if what == "insert":
            await records.put(new(self.sample(rank)))
            return
        if not self.keys:
            return
        key = self.keys[place % len(self.keys)]
        self.moved.add(key)
        if what == "delete":
            self.keys.remove(key)
            await records.delete(Delete(key))
        else:
            await records.change(Change(key, (Sample.rank.set(rank),)))


async def check_pages(
    store: RecordStore, given: Ranks, between: list[list[Step]], *, size: int, down: bool
) -> None:
    """Page through a room while it is written to; what kept its place is seen exactly once."""
    room = Room(store)
    await room.begin(given)
    first = sorted(room.keys)
    orders = sorted_by(Sample.rank.desc() if down else Sample.rank.asc())
    seen: list[str] = []
    after: tuple[Any, ...] | None = None

    for page_number in range(100):
        what = Find(Sample.room == room.name, orders, size, after)
        page = await store.queries(SAMPLE).find(what)
        if not page:
            break
        seen += [one.key for one in page]
        after = position(page[-1].data, orders)
        for step in between[page_number] if page_number < len(between) else []:
            await room.step(*step)

    kept = [key for key in first if key not in room.moved]
    assert not page
    assert sorted(key for key in seen if key in kept) == kept


@pytest.fixture
def store() -> str:
    """Only what follows a parameter has another store."""
    return "memory"


@pytest.fixture
def urls(store: str, request: pytest.FixtureRequest) -> Urls:
    """Where the servers are."""
    return urls_of(store, request)


@pytest.fixture
async def opened(store: str, urls: Urls) -> AsyncIterator[RecordStore]:
    build, _ = BUILDERS[store]
    async with build(urls) as made:
        yield made


# The store is one for all examples on purpose: each has a room of its own.
@pytest.mark.parametrize("store", BUILDERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    written=st.tuples(
        st.lists(ranks, max_size=12), st.lists(st.lists(steps, max_size=3), max_size=8)
    ),
    size=st.integers(1, 4),
    down=st.booleans(),
)
async def test_pages_stay_right_while_rows_are_written(
    opened: RecordStore, written: tuple[Ranks, list[list[Step]]], size: int, down: bool
) -> None:
    await check_pages(opened, *written, size=size, down=down)


async def test_pages_that_lose_a_tie_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        table,
        "is_after",
        lambda data, orders, mark: is_after(data, orders[:1], mark[:1]),
    )

    with pytest.raises(AssertionError):
        await check_pages(MemoryStore(SYSTEM), [1, 1, 1], [], size=2, down=False)
