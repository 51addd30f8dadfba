"""Repository: what each verb promises, over the reference store."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.errors import (
    AlreadyExistsError,
    ConditionError,
    InvalidQueryError,
    NotFoundError,
    PartialError,
    StateError,
    StoreError,
    UnavailableError,
    UnsupportedError,
    UsageError,
    VersionConflictError,
)
from rightstore.model.declaration import Declaration
from rightstore.model.entity import Entity, version_of
from rightstore.model.event import Event
from rightstore.model.field import Field, field
from rightstore.ports.records import Put, Records
from rightstore.repository.repository import MAX_MANY, Repository
from rightstore.testing.contract.sample import Fact, OldPerson, Person, Sample, Stranger


class Frozen(Entity, key=("shelf", "slot"), frozen=True):
    shelf: Field[str]
    slot: Field[int]
    text: Field[str] = field(default="")


class Told(Event, name="told", key="id"):
    id: str


async def test_what_was_put_is_read_as_an_equal_fresh_object(samples: Repository[Sample]) -> None:
    record = Sample(id="a", rank=1, free={"color": ["red"]})

    stored = await samples.put(record)
    one, two = await samples.get_one("a"), await samples.get_one("a")

    assert stored is record
    assert (one, version_of(one)) == (record, 1)
    one.free["color"].append("blue")
    assert two.free == record.free == {"color": ["red"]}


async def test_a_record_that_is_not_there_is_none_and_an_error_when_it_must_be(
    samples: Repository[Sample],
) -> None:
    assert await samples.get("secret") is None
    assert await samples.read("secret") is None
    with pytest.raises(NotFoundError, match="Sample: no record with this key") as caught:
        await samples.get_one("secret")
    assert "secret" not in str(caught.value)


async def test_a_read_carries_the_public_json_the_version_and_the_source(
    samples: Repository[Sample],
) -> None:
    moment = datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    await samples.put(Sample(id="a", in_stock=3, price=Decimal("1.10"), made_at=moment))

    found = await samples.read("a")

    assert found is not None
    assert (found.value.in_stock, found.version, found.source) == (3, 1, "memory")
    assert not found.cached
    assert msgspec.json.decode(found.json) == {
        "id": "a",
        "room": "",
        "rank": None,
        "inStock": 3,
        "price": "1.10",
        "madeAt": "2030-01-02T03:04:05.678000Z",
        "tags": [],
        "side": None,
        "sides": [],
        "free": {},
    }


async def test_the_public_json_has_the_declared_shape_whatever_is_stored() -> None:
    store = MemoryStore(SYSTEM)
    await Repository(OldPerson, store, at="memory").put(OldPerson(id="a", name="Ada"))

    found = await Repository(Person, store, at="memory").read("a")

    assert found is not None
    assert found.json == b'{"id":"a","full_name":"Ada","age":30}'


async def test_a_put_is_guarded_by_the_version_that_the_record_carries(
    samples: Repository[Sample],
) -> None:
    first = await samples.put(Sample(id="a", rank=1))
    second = await samples.get_one("a")
    await samples.put(second)

    with pytest.raises(VersionConflictError):
        await samples.put(first)
    with pytest.raises(AlreadyExistsError):
        await samples.put(Sample(id="a"))

    assert (version_of(first), version_of(second)) == (1, 2)


async def test_a_put_may_expect_a_version_none_there_or_anything(
    samples: Repository[Sample],
) -> None:
    await samples.put(Sample(id="a"))

    await samples.put(Sample(id="a", rank=2), expect=1)
    last = await samples.put(Sample(id="a", rank=3), expect="any")

    assert version_of(last) == 3
    for version in (2, 2**63, 10**30):
        with pytest.raises(VersionConflictError):
            await samples.put(last, expect=version)
    with pytest.raises(AlreadyExistsError):
        await samples.put(last, expect=0)


@pytest.mark.parametrize("expect", [-1, True, "all", 1.0])
async def test_an_expectation_is_a_version(samples: Repository[Sample], expect: Any) -> None:
    with pytest.raises(UsageError, match="expect="):
        await samples.put(Sample(), expect=expect)


async def test_a_frozen_record_carries_its_new_version_too() -> None:
    shelves = Repository(Frozen, MemoryStore(SYSTEM), at="memory")
    record = Frozen(shelf="a", slot=2)

    await shelves.put(record)
    await shelves.put(record)

    assert version_of(record) == 2
    assert await shelves.get(("a", 2)) == record


async def test_a_record_of_another_kind_is_refused(samples: Repository[Sample]) -> None:
    stranger: Any = Stranger()

    with pytest.raises(UsageError, match="put takes a Sample, not Stranger"):
        await samples.put(stranger)


async def test_get_many_keeps_the_order_asked_and_shares_nothing(
    samples: Repository[Sample],
) -> None:
    await samples.put_many([Sample(id="a", free={"n": [1]}), Sample(id="b")])

    found = await samples.get_many(["b", "x", "a", "a"])

    assert [each and each.id for each in found] == ["b", None, "a", "a"]
    assert found[2] is not None
    assert found[3] is not None
    found[2].free["n"].append(2)
    assert found[3].free == {"n": [1]}


async def test_put_many_says_how_many_and_stamps_each(samples: Repository[Sample]) -> None:
    records = [Sample(id=str(number)) for number in range(3)]

    done = await samples.put_many(records)

    assert done == 3
    assert [version_of(each) for each in records] == [1, 1, 1]
    assert await samples.find().count() == 3


async def test_put_many_that_did_a_part_says_what_became_of_each(
    samples: Repository[Sample],
) -> None:
    await samples.put(Sample(id="secret"))
    records = [Sample(id="a"), Sample(id="secret"), Sample(id="b")]

    with pytest.raises(PartialError, match="Sample: 1 of 3 records") as caught:
        await samples.put_many(records)

    outcomes = caught.value.outcomes
    assert (outcomes[0], type(outcomes[1]), outcomes[2]) == (1, AlreadyExistsError, 1)
    assert "secret" not in str(caught.value)
    assert [version_of(each) for each in records] == [1, 0, 1]


class Broken:
    """A store whose bulk writes give what a test says."""

    def __init__(self, outcomes: list[int | StateError | StoreError]) -> None:
        self._outcomes, self._store = outcomes, MemoryStore(SYSTEM)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def records(self, declaration: Declaration) -> Records:
        records: Any = self._store.records(declaration)

        async def put_many(_: list[Put]) -> list[int | StateError | StoreError]:
            return self._outcomes

        records.put_many = put_many
        found: Records = records
        return found


def gone(outcome: Any) -> StoreError:
    return UnavailableError("gone", store="x", operation="put_many", outcome=outcome)


async def test_put_many_of_which_the_store_did_nothing_is_the_stores_error() -> None:
    unknown = gone("unknown")
    store: Any = Broken([gone("not applied"), unknown])

    with pytest.raises(UnavailableError) as caught:
        await Repository(Sample, store, at="x").put_many([Sample(), Sample()])

    assert caught.value is unknown


async def test_put_many_that_lost_a_part_names_the_outcome_of_each() -> None:
    store: Any = Broken([1, gone("unknown")])

    with pytest.raises(PartialError) as caught:
        await Repository(Sample, store, at="x").put_many([Sample(), Sample()])

    lost = caught.value.outcomes[1]
    assert isinstance(lost, StoreError)
    assert lost.outcome == "unknown"


async def test_many_is_bounded(samples: Repository[Sample]) -> None:
    with pytest.raises(UsageError, match="up to 10000 records"):
        await samples.get_many(["a"] * (MAX_MANY + 1))


async def test_a_change_gives_the_record_as_it_is_then(samples: Repository[Sample]) -> None:
    await samples.put(Sample(id="a", in_stock=2))

    left = await samples.change("a", Sample.in_stock.add(-2), when=Sample.in_stock >= 2)

    assert (left.in_stock, version_of(left)) == (0, 2)
    with pytest.raises(ConditionError):
        await samples.change("a", Sample.in_stock.add(-2), when=Sample.in_stock >= 2)
    with pytest.raises(InvalidQueryError, match="without an edit"):
        await samples.change("a")


async def test_a_change_creates_what_is_not_there_if_told_so(samples: Repository[Sample]) -> None:
    with pytest.raises(NotFoundError):
        await samples.change("a", Sample.in_stock.add(1))

    for _ in range(2):
        left = await samples.change(
            "a", Sample.in_stock.add(1), or_create=Sample(id="a", in_stock=1)
        )

    assert left.in_stock == 2
    with pytest.raises(UsageError, match="another key"):
        await samples.change("b", Sample.in_stock.add(1), or_create=Sample(id="a"))


async def test_of_200_who_take_one_of_150_exactly_150_get_it(samples: Repository[Sample]) -> None:
    await samples.put(Sample(id="a", in_stock=150))

    async def take() -> int:
        try:
            await samples.change("a", Sample.in_stock.add(-1), when=Sample.in_stock >= 1)
        except ConditionError:
            return 0
        return 1

    taken = await asyncio.gather(*(take() for _ in range(200)))

    assert sum(taken) == 150
    assert (await samples.get_one("a")).in_stock == 0


async def test_delete_says_whether_there_was_one_and_the_key_counts_on(
    samples: Repository[Sample],
) -> None:
    await samples.put(Sample(id="a"))

    with pytest.raises(VersionConflictError):
        await samples.delete("a", expect=7)
    answers = [await samples.delete("a", expect=1), await samples.delete("a")]
    again = await samples.put(Sample(id="a"))

    assert answers == [True, False]
    assert version_of(again) == 3


async def test_a_fact_beside_a_write_is_refused_before_anything_is_written(
    samples: Repository[Sample],
) -> None:
    fact = Told(id="a")

    for emit in (fact, [fact]):
        with pytest.raises(UnsupportedError, match="emit= is not supported yet"):
            await samples.put(Sample(id="a"), emit=emit)
        with pytest.raises(UnsupportedError):
            await samples.change("a", Sample.in_stock.add(1), emit=emit)
        with pytest.raises(UnsupportedError):
            await samples.delete("a", emit=emit)

    assert await samples.get("a") is None


async def test_an_append_only_record_is_never_written_again(facts: Repository[Fact]) -> None:
    fact = await facts.put(Fact(text="so"))

    with pytest.raises(UsageError, match="append_only"):
        await facts.put(fact)
    with pytest.raises(UsageError, match="append_only"):
        await facts.delete(fact.id)
