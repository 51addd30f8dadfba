"""A transaction over entities: bound to one group, buffered, checked against what it read."""

from typing import Any

import pytest

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.errors import (
    AlreadyExistsError,
    ConditionError,
    NotConfiguredError,
    NotFoundError,
    UnsupportedError,
    UsageError,
    VersionConflictError,
)
from rightstore.model.entity import version_of
from rightstore.model.event import Event
from rightstore.ports.records import Batch, RecordStore
from rightstore.repository.repository import Repository
from rightstore.repository.scope import Places
from rightstore.repository.transaction import transaction
from rightstore.testing.contract.sample import Fact, Sample, Stranger


class Told(Event, name="told.transaction", key="id"):
    id: str


class Counting:
    """A store that notes each batch."""

    def __init__(self) -> None:
        self.store, self.batches = MemoryStore(SYSTEM), list[Batch]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def write(self, batch: Batch) -> list[int]:
        self.batches.append(batch)
        return await self.store.write(batch)


@pytest.fixture
def batches(places: Any) -> list[Batch]:
    places.store = Counting()
    found: list[Batch] = places.store.batches
    return found


async def test_all_is_written_at_the_end_and_records_carry_their_versions(
    places: Places, samples: Repository[Sample], facts: Repository[Fact]
) -> None:
    await samples.put(Sample(id="b", in_stock=1))
    sample, fact = Sample(id="a"), Fact(id="f")

    async with transaction(places) as tx:
        await tx.of(Sample).put(sample)
        await tx.of(Fact).put(fact)
        await tx.of(Sample).change("b", Sample.in_stock.add(1), when=Sample.in_stock == 1)
        before = [await samples.get("a"), version_of(sample)]

    assert before == [None, 0]
    assert [version_of(sample), version_of(fact)] == [1, 1]
    assert await facts.get("f") == fact
    assert (await samples.get_one("b")).in_stock == 2


async def test_when_the_block_fails_nothing_is_written(
    places: Places, samples: Repository[Sample]
) -> None:
    sample = Sample(id="a")

    async def attempt() -> None:
        async with transaction(places) as tx:
            await tx.of(Sample).put(sample)
            raise KeyError

    with pytest.raises(KeyError):
        await attempt()

    assert await samples.get("a") is None
    assert version_of(sample) == 0


async def test_when_one_write_fails_nothing_is_written(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put(Sample(id="b"))

    async def attempt() -> None:
        async with transaction(places) as tx:
            await tx.of(Sample).put(Sample(id="a"))
            await tx.of(Sample).change("b", Sample.in_stock.add(-1), when=Sample.in_stock >= 1)

    with pytest.raises(ConditionError):
        await attempt()

    assert await samples.get("a") is None


@pytest.mark.parametrize("keys", [[], ["a"]])
async def test_a_transaction_that_wrote_nothing_writes_nothing(
    places: Places, batches: list[Batch], keys: list[str]
) -> None:
    async with transaction(places) as tx:
        for key in keys:
            await tx.of(Sample).get(key)

    assert batches == []


async def test_what_was_read_and_not_written_must_not_have_moved_on(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put(Sample(id="a"))

    async def attempt() -> None:
        async with transaction(places) as tx:
            await tx.of(Sample).get("a")
            await tx.of(Sample).put(Sample(id="b"))
            await samples.change("a", Sample.in_stock.add(1))

    with pytest.raises(VersionConflictError):
        await attempt()

    assert await samples.get("b") is None


async def test_what_was_read_as_absent_must_still_be_absent(
    places: Places, samples: Repository[Sample]
) -> None:
    async def attempt() -> None:
        async with transaction(places) as tx:
            assert await tx.of(Sample).get("a") is None
            await tx.of(Sample).put(Sample(id="b"))
            await samples.put(Sample(id="a"))

    with pytest.raises(VersionConflictError):
        await attempt()


async def test_two_reads_must_be_of_one_moment(places: Places, samples: Repository[Sample]) -> None:
    await samples.put(Sample(id="a"))

    async def attempt() -> None:
        async with transaction(places) as tx:
            await tx.of(Sample).get("a")
            await samples.change("a", Sample.in_stock.add(1))
            await tx.of(Sample).get("b")

    with pytest.raises(VersionConflictError):
        await attempt()


async def test_a_second_look_at_a_record_that_moved_on_is_a_conflict_at_once(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put(Sample(id="a"))

    async with transaction(places) as tx:
        first = await tx.of(Sample).get_one("a")
        again = await tx.of(Sample).get_one("a")
        await samples.change("a", Sample.in_stock.add(1))
        with pytest.raises(VersionConflictError, match="since this transaction read it"):
            await tx.of(Sample).get("a")

    assert first == again
    assert first is not again


@pytest.mark.parametrize("expect", [None, "any"])
async def test_a_put_of_what_was_read_is_guarded_by_that_read(
    places: Places, samples: Repository[Sample], expect: Any
) -> None:
    await samples.put(Sample(id="a"))

    async def attempt() -> None:
        async with transaction(places) as tx:
            record = await tx.of(Sample).get_one("a")
            await tx.of(Sample).put(record, expect=expect)
            await samples.change("a", Sample.in_stock.add(1))

    with pytest.raises(VersionConflictError):
        await attempt()


@pytest.mark.parametrize("write", ["change", "delete"])
async def test_a_change_and_a_delete_of_what_was_read_are_guarded_too(
    places: Places, samples: Repository[Sample], write: str
) -> None:
    await samples.put(Sample(id="a"))

    async def attempt() -> None:
        async with transaction(places) as tx:
            await tx.of(Sample).get("a")
            if write == "change":
                await tx.of(Sample).change("a", Sample.in_stock.add(1))
            else:
                await tx.of(Sample).delete("a")
            await samples.change("a", Sample.in_stock.add(1))

    with pytest.raises(VersionConflictError):
        await attempt()


async def test_a_put_brought_along_from_outside_meets_the_version_that_was_read(
    places: Places, samples: Repository[Sample]
) -> None:
    old = await samples.put(Sample(id="a"))
    await samples.change("a", Sample.in_stock.add(1))

    async with transaction(places) as tx:
        await tx.of(Sample).get("a")
        with pytest.raises(VersionConflictError):
            await tx.of(Sample).put(old)
        with pytest.raises(AlreadyExistsError):
            await tx.of(Sample).put(Sample(id="a"))
        with pytest.raises(VersionConflictError):
            await tx.of(Sample).delete("a", expect=1)

    assert (await samples.get_one("a")).in_stock == 1


async def test_a_transaction_reads_what_it_has_put_and_deleted(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put(Sample(id="b"))
    sample = Sample(id="a", free={"n": [1]})

    async with transaction(places) as tx:
        await tx.of(Sample).put(sample)
        sample.free["n"].append(2)
        found = await tx.of(Sample).get_one("a")
        found.free["n"].append(3)
        gone = await tx.of(Sample).delete("b")
        after = await tx.of(Sample).get("b")

    assert (gone, after) == (True, None)
    assert (await samples.get_one("a")).free == {"n": [1]}
    assert await samples.get("b") is None


async def test_what_a_change_makes_is_not_known_before_the_end(
    places: Places, samples: Repository[Sample]
) -> None:
    await samples.put(Sample(id="a"))

    async with transaction(places) as tx:
        await tx.of(Sample).change("a", Sample.in_stock.add(1))
        with pytest.raises(UsageError, match="decided when the transaction commits"):
            await tx.of(Sample).get("a")


async def test_a_record_is_written_once(places: Places) -> None:
    async with transaction(places) as tx:
        await tx.of(Sample).put(Sample(id="a"))
        with pytest.raises(UsageError, match="writes a record once"):
            await tx.of(Sample).put(Sample(id="a"))


async def test_a_delete_of_nothing_says_so_and_keeps_it_true(
    places: Places, samples: Repository[Sample]
) -> None:
    async def attempt() -> None:
        async with transaction(places) as tx:
            assert not await tx.of(Sample).delete("a")
            await tx.of(Sample).put(Sample(id="b"))
            await samples.put(Sample(id="a"))

    with pytest.raises(VersionConflictError):
        await attempt()


async def test_a_change_creates_what_was_read_as_absent(
    places: Places, samples: Repository[Sample]
) -> None:
    async with transaction(places) as tx:
        await tx.of(Sample).get("a")
        await tx.of(Sample).change(
            "a", Sample.in_stock.add(1), or_create=Sample(id="a", in_stock=5)
        )

    assert (await samples.get_one("a")).in_stock == 5

    async def attempt() -> None:
        async with transaction(places) as tx:
            await tx.of(Sample).get("b")
            await tx.of(Sample).change("b", Sample.in_stock.add(1))

    with pytest.raises(NotFoundError):
        await attempt()


async def test_another_group_is_refused_by_declaration_wherever_it_lives(places: Places) -> None:
    async with transaction(places) as tx:
        tx.of(Sample)
        with pytest.raises(UsageError, match="began in samples, and Stranger is in Stranger"):
            tx.of(Stranger)
        with pytest.raises(UsageError, match=r"tx\.sql is in relational"):
            _ = tx.sql


async def test_tables_need_postgresql(places: Places) -> None:
    async with transaction(places) as tx:
        with pytest.raises(NotConfiguredError, match="POSTGRES_URL"):
            _ = tx.sql


async def test_what_is_no_entity_and_no_table_is_refused(places: Places) -> None:
    number: Any = int

    async with transaction(places) as tx:
        with pytest.raises(UsageError, match="entities and tables"):
            tx.of(number)


async def test_a_transaction_that_is_over_takes_nothing_more(places: Places) -> None:
    async with transaction(places) as tx:
        records = tx.of(Sample)

    with pytest.raises(UsageError, match="has ended"):
        tx.of(Sample)
    with pytest.raises(UsageError, match="has ended"):
        await records.get("a")
    with pytest.raises(UsageError, match="has ended"):
        await records.put(Sample())


async def test_facts_and_sagas_are_not_pretended(places: Places) -> None:
    async with transaction(places) as tx:
        with pytest.raises(UnsupportedError, match="emit="):
            await tx.of(Sample).put(Sample(), emit=Told(id="a"))

    assert not hasattr(tx, "emit")
    assert not hasattr(tx, "start")


async def test_append_only_holds_in_a_transaction(places: Places, facts: Repository[Fact]) -> None:
    fact = await facts.put(Fact())

    async with transaction(places) as tx:
        with pytest.raises(UsageError, match="append_only"):
            await tx.of(Fact).put(fact)
        with pytest.raises(UsageError, match="append_only"):
            await tx.of(Fact).delete(fact.id)


class Single(MemoryStore):
    """A store without transactions."""

    capabilities = frozenset()


async def test_a_store_of_single_records_is_asked_for_one_and_answers_for_itself(
    places: Any,
) -> None:
    store: RecordStore = Single(SYSTEM)
    places.store = store

    async with transaction(places) as tx:
        await tx.of(Sample).get("a")
        await tx.of(Sample).put(Sample(id="a"))

    assert await Repository(Sample, store, at="x").get("a") is not None
