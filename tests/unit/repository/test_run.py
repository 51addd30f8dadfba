"""`run`: again on a conflict, never on an unknown outcome, once only with a key."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.errors import (
    AlreadyExistsError,
    ConditionError,
    KeyReusedError,
    StoreError,
    UnavailableError,
    UnsupportedError,
    UsageError,
    VersionConflictError,
)
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import version_of
from rightstore.ports.records import Batch
from rightstore.repository.mark import Mark, marks_for
from rightstore.repository.repository import Repository
from rightstore.repository.run import ATTEMPTS, LOOKS, run
from rightstore.repository.scope import Places
from rightstore.repository.transaction import Transaction
from rightstore.testing.clock import VirtualClock
from rightstore.testing.contract.sample import SAMPLE, Fact, Sample, Stranger


@dataclass(frozen=True)
class Move:
    source: str
    target: str
    number: int = 1


async def move(order: Move, tx: Transaction) -> list[int]:
    source = await tx.of(Sample).get_one(order.source)
    target = await tx.of(Sample).get_one(order.target)
    source.in_stock -= order.number
    target.in_stock += order.number
    if source.in_stock < 0:
        raise ConditionError("sold out")
    await tx.of(Sample).put(source)
    await tx.of(Sample).put(target)
    return [source.in_stock, target.in_stock]


async def create(sample_id: str, tx: Transaction) -> Sample:
    return await tx.of(Sample).put(Sample(id=sample_id))


async def add(_: None, tx: Transaction) -> None:
    await tx.of(Sample).change("a", Sample.in_stock.add(1))


async def nothing(number: int, tx: Transaction) -> int:
    return number + 1


class Turns:
    """A clock that never waits, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(SYSTEM, name)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def clock() -> Any:
    return Turns()


async def test_run_commits_what_the_function_did_and_returns_its_result(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put_many([Sample(id="a", in_stock=5), Sample(id="b")])

    left = await run(places, move, Move("a", "b", 2))

    assert left == [3, 2]
    assert [(await samples.get_one(key)).in_stock for key in "ab"] == [3, 2]


async def test_those_who_read_and_write_the_same_lose_nothing(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put_many([Sample(id="a", in_stock=50), Sample(id="b")])

    await asyncio.gather(*(run(places, move, Move("a", "b")) for _ in range(8)))

    assert [(await samples.get_one(key)).in_stock for key in "ab"] == [42, 8]


async def test_two_who_each_write_what_the_other_read_do_not_both_succeed_on_old_reads(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put_many([Sample(id="a", in_stock=1), Sample(id="b", in_stock=1)])

    async def leave(key: str, tx: Transaction) -> bool:
        on_duty = [await tx.of(Sample).get_one(each) for each in "ab"]
        if sum(each.in_stock for each in on_duty) < 2:
            return False
        await tx.of(Sample).change(key, Sample.in_stock.set(0))
        return True

    left = await asyncio.gather(run(places, leave, "a"), run(places, leave, "b"))

    assert sorted(left) == [False, True]


async def test_a_function_that_found_nothing_sees_what_another_created(
    places: Places, samples: Repository[Sample]
) -> None:
    async def ensure(key: str, tx: Transaction) -> int:
        found = await tx.of(Sample).get(key)
        if found is None:
            found = await tx.of(Sample).put(Sample(id=key))
        return found.in_stock

    found = await asyncio.gather(*(run(places, ensure, "a") for _ in range(3)))

    assert found == [0, 0, 0]
    assert (await samples.find().count()) == 1


async def test_it_runs_again_up_to_a_bound(
    places: Places, samples: Repository[Sample], clock: Any
) -> None:
    await samples.put(Sample(id="a"))
    runs = 0

    async def late(_: None, tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        found = await tx.of(Sample).get_one("a")
        await samples.change("a", Sample.in_stock.add(1))
        await tx.of(Sample).put(found)

    with pytest.raises(VersionConflictError):
        await run(places, late, None, clock=clock)

    assert (runs, len(clock.waits)) == (ATTEMPTS, ATTEMPTS - 1)
    assert all(0 <= wait <= 0.25 for wait in clock.waits)


@pytest.mark.parametrize("expect", [None, 1])
async def test_a_version_that_was_brought_along_is_not_tried_again(
    places: Places, samples: Repository[Sample], clock: Any, expect: int | None
) -> None:
    old = await samples.put(Sample(id="a"))
    await samples.change("a", Sample.in_stock.add(1))

    async def overwrite(record: Sample, tx: Transaction) -> None:
        await tx.of(Sample).put(record, expect=expect)

    with pytest.raises(VersionConflictError):
        await run(places, overwrite, old, clock=clock)

    assert clock.waits == []


async def test_a_version_brought_along_that_the_function_saw_is_not_there_is_final(
    places: Places, samples: Repository[Sample], clock: Any
) -> None:
    old = await samples.put(Sample(id="a"))
    await samples.change("a", Sample.in_stock.add(1))

    async def look_and_overwrite(record: Sample, tx: Transaction) -> None:
        await tx.of(Sample).get("a")
        await tx.of(Sample).put(record)

    with pytest.raises(VersionConflictError):
        await run(places, look_and_overwrite, old, clock=clock)

    assert clock.waits == []


async def test_a_conflict_with_another_record_than_the_one_brought_along_is_tried_again(
    places: Places, samples: Repository[Sample], clock: Any
) -> None:
    old = await samples.put(Sample(id="a"))
    await samples.put(Sample(id="b"))
    moved = False

    async def write_both(record: Sample, tx: Transaction) -> None:
        nonlocal moved
        other = await tx.of(Sample).get_one("b")
        if not moved:
            moved = True
            await samples.change("b", Sample.in_stock.add(1))
        await tx.of(Sample).put(other)
        await tx.of(Sample).put(record)

    await run(places, write_both, old, clock=clock)

    assert len(clock.waits) == 1
    assert version_of(old) == 2


async def test_a_record_that_exists_is_an_answer(places: Places, clock: Any) -> None:
    await run(places, create, "a")

    with pytest.raises(AlreadyExistsError):
        await run(places, create, "a", clock=clock)

    assert clock.waits == []


async def test_the_same_key_gives_the_same_result_and_one_effect(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put_many([Sample(id="a", in_stock=3), Sample(id="b")])

    answers = [await run(places, move, Move("a", "b", 2), once="k") for _ in range(3)]

    assert answers == [[1, 2]] * 3
    assert (await samples.get_one("a")).in_stock == 1


async def test_five_at_once_with_one_key_have_one_effect_and_the_same_result(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put_many([Sample(id="a", in_stock=3), Sample(id="b")])

    answers = await asyncio.gather(
        *(run(places, move, Move("a", "b", 2), once="k") for _ in range(5))
    )

    assert answers == [[1, 2]] * 5
    assert (await samples.get_one("a")).in_stock == 1


async def test_many_calls_with_few_keys_have_as_many_effects_as_keys(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put(Sample(id="a"))

    await asyncio.gather(*(run(places, add, None, once=f"k{n % 20}") for n in range(200)))

    assert (await samples.get_one("a")).in_stock == 20


async def test_a_record_that_was_put_comes_back_with_the_version_it_got(places: Places) -> None:
    first = await run(places, create, "a", once="k")

    again = await run(places, create, "a", once="k")

    assert again == first
    assert again is not first
    assert (version_of(first), version_of(again)) == (1, 1)


async def test_another_argument_with_the_key_is_refused(
    places: Places, samples: Repository[Sample]
) -> None:
    await run(places, create, "a", once="k")

    with pytest.raises(KeyReusedError, match="another argument"):
        await run(places, create, "b", once="k")

    assert await samples.get("b") is None


async def test_a_key_is_of_one_function(places: Places, samples: Repository[Sample]) -> None:
    await run(places, create, "a", once="k")
    await run(places, add, None, once="k")

    assert (await samples.get_one("a")).in_stock == 1


async def test_a_call_that_failed_leaves_no_mark(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put_many([Sample(id="a"), Sample(id="b")])
    with pytest.raises(ConditionError):
        await run(places, move, Move("a", "b"), once="k")
    await samples.change("a", Sample.in_stock.add(1))

    assert await run(places, move, Move("a", "b"), once="k") == [0, 1]


async def test_a_replay_that_fails_on_its_own_effect_gives_the_result_whatever_it_raises(
    places: Places, samples: Repository[Sample]
) -> None:
    async def claim(key: str, tx: Transaction) -> str:
        if await tx.of(Sample).get(key) is not None:
            raise KeyError(key)
        await tx.of(Sample).put(Sample(id=key))
        return "yours"

    answers = [await run(places, claim, "a", once="k") for _ in range(2)]

    assert answers == ["yours", "yours"]
    with pytest.raises(KeyError):
        await run(places, claim, "a", once="other")


async def test_a_function_that_touches_nothing_is_marked_too(places: Places) -> None:
    runs = 0

    async def lucky(_: int, tx: Transaction) -> int:
        nonlocal runs
        runs += 1
        return runs

    answers = [await run(places, lucky, 1, once="k") for _ in range(2)]

    assert answers == [1, 1]


async def test_a_mark_is_kept_for_a_day(places: Any, clock: Any) -> None:
    with VirtualClock() as time:
        places.store = MemoryStore(time)
        first = await run(places, nothing, 1, once="k")
        time.set(time.now() + timedelta(hours=23))
        with pytest.raises(KeyReusedError):
            await run(places, nothing, 2, once="k")
        time.set(time.now() + timedelta(hours=2))
        later = await run(places, nothing, 2, once="k")

    assert (first, later) == (2, 3)


class Losing(MemoryStore):
    """A store whose answers to batches are lost, after or before they were done."""

    is_done = True
    is_deaf = False
    looks = 0
    outcome: Any = "unknown"

    def error(self) -> StoreError:
        return UnavailableError("lost", store="x", operation="write", outcome=self.outcome)

    async def write(self, batch: Batch) -> list[int]:
        if self.is_done:
            await super().write(batch)
        raise self.error()

    def records(self, declaration: Any) -> Any:
        records: Any = super().records(declaration)
        if declaration.entity is Mark:
            get = records.get

            async def look(key: str) -> Any:
                self.looks += 1
                if self.is_deaf:
                    raise UnavailableError("deaf", store="x", operation="get")
                return await get(key)

            records.get = look
        return records


@pytest.fixture
def losing(places: Any) -> Losing:
    store = Losing(SYSTEM)
    places.store = store
    return store


async def test_a_lost_answer_is_never_tried_again_without_a_key(
    places: Places, losing: Losing, clock: Any
) -> None:
    with pytest.raises(StoreError) as caught:
        await run(places, create, "a", clock=clock)

    assert caught.value.outcome == "unknown"
    assert clock.waits == []


async def test_a_lost_answer_is_found_by_its_key(
    places: Places, losing: Losing, clock: Any
) -> None:
    made = await run(places, create, "a", once="k", clock=clock)

    assert (made.id, version_of(made)) == ("a", 1)


@pytest.mark.parametrize("is_deaf", [True, False])
async def test_an_outcome_that_cannot_be_found_stays_unknown(
    places: Places, losing: Losing, clock: Any, is_deaf: bool
) -> None:
    losing.is_done, losing.is_deaf = False, is_deaf

    with pytest.raises(StoreError, match="lost") as caught:
        await run(places, create, "a", once="k", clock=clock)

    assert caught.value.outcome == "unknown"
    assert losing.looks == LOOKS


async def test_what_was_not_done_is_looked_up_once_and_not_tried_again(
    places: Places, losing: Losing, clock: Any
) -> None:
    losing.is_done, losing.outcome = False, "not applied"

    with pytest.raises(StoreError, match="lost"):
        await run(places, create, "a", once="k", clock=clock)

    assert losing.looks == 1


class Single(MemoryStore):
    """A store without transactions."""

    capabilities = frozenset()


async def test_once_needs_a_store_that_writes_two_records_in_one_step(places: Any) -> None:
    places.store = Single(SYSTEM)

    with pytest.raises(UnsupportedError, match=r"Sample lives in memory.*mark of once="):
        await run(places, create, "a", once="k")

    assert await Repository(Sample, places.store, at="x").get("a") is None


async def test_what_cannot_be_marked_is_refused_before_anything_is_done(places: Places) -> None:
    class Nameless:
        async def __call__(self, arg: int, tx: Transaction) -> int:
            return arg

    nameless: Any = Nameless()
    for key in ("", "k" * 1001, 5):
        given: Any = key
        with pytest.raises(UsageError, match="1 to 1000 characters"):
            await run(places, nothing, 1, once=given)
    with pytest.raises(UsageError, match="a function with a name"):
        await run(places, nameless, 1, once="k")


async def test_a_cancelled_run_writes_nothing(places: Places, samples: Repository[Sample]) -> None:
    started = asyncio.Event()

    async def slow(_: None, tx: Transaction) -> None:
        await tx.of(Sample).put(Sample(id="a"))
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(run(places, slow, None, once="k"))
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await samples.get("a") is None


def test_marks_are_declared_once_for_each_home_and_for_the_tables() -> None:
    found = marks_for([SAMPLE, declaration_of(Stranger), declaration_of(Fact)])

    assert [(each.name, each.home) for each in found] == [("rightstore_once", "postgres")]
