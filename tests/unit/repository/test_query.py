"""Query: immutable, typed, paged by keyset, over the reference store."""

from typing import Any

import pytest

from rightstore.errors import InvalidQueryError
from rightstore.model.measure import count
from rightstore.repository.query import BATCH
from rightstore.repository.repository import Repository
from rightstore.testing.contract.sample import Sample, Stranger


async def fill(samples: Repository[Sample], number: int) -> None:
    await samples.put_many(
        [Sample(id=f"{n:04}", room="ab"[n % 2], rank=n // 4) for n in range(number)]
    )


def ids(records: list[Sample]) -> list[str]:
    return [record.id for record in records]


async def test_a_query_finds_what_meets_all_conditions_in_the_order_of_keys(
    samples: Repository[Sample],
) -> None:
    await fill(samples, 12)

    found = await samples.find(Sample.room == "a", Sample.rank >= 1).all()

    assert ids(found) == ["0004", "0006", "0008", "0010"]


async def test_each_step_of_a_query_leaves_the_one_before_as_it_was(
    samples: Repository[Sample],
) -> None:
    await fill(samples, 6)
    query = samples.find(Sample.room == "a")
    last = query.sort(Sample.rank.desc(), Sample.id.asc()).limit(1)

    assert ids(await last.all()) == ["0004"]
    assert ids(await query.all()) == ["0000", "0002", "0004"]
    assert ids(await last.sort().all()) == ["0000"]


async def test_first_and_count_keep_to_the_limit(samples: Repository[Sample]) -> None:
    await fill(samples, 6)
    query = samples.find().sort(Sample.id.desc())

    first = await query.first()

    assert first is not None
    assert first.id == "0005"
    assert await samples.find(Sample.rank == 99).first() is None
    assert [await query.count(), await query.limit(4).count()] == [6, 4]


async def test_pages_give_each_record_once_while_others_come_and_go(
    samples: Repository[Sample],
) -> None:
    await fill(samples, 10)
    query = samples.find().sort(Sample.rank.desc())
    seen, cursor = [], None

    while True:
        page = await query.page(3, after=cursor)
        seen += ids(page.items)
        cursor = page.next
        if cursor is None:
            break
        await samples.put(Sample(id=f"new{len(seen)}", rank=99))
        await samples.delete(page.items[0].id)

    assert seen == ["0009", "0008", "0007", "0006", "0005", "0004", "0003", "0002", "0001", "0000"]


async def test_the_last_page_has_no_next_even_when_it_is_full(samples: Repository[Sample]) -> None:
    await fill(samples, 4)

    first = await samples.find().page(2)
    second = await samples.find().page(2, after=first.next)

    assert (ids(second.items), second.next) == (["0002", "0003"], None)


async def test_a_cursor_of_another_query_is_refused(samples: Repository[Sample]) -> None:
    await fill(samples, 4)
    page = await samples.find().page(2)

    with pytest.raises(InvalidQueryError, match="does not belong to this query"):
        await samples.find().sort(Sample.rank.asc()).page(2, after=page.next)


@pytest.mark.parametrize("size", [0, -1, 1001, True, "5"])
async def test_a_page_has_a_bounded_size(samples: Repository[Sample], size: Any) -> None:
    with pytest.raises(InvalidQueryError, match=r"page\(\) takes a number from 1 to 1000"):
        await samples.find().page(size)


async def test_a_limit_is_a_positive_number_and_none_of_a_page(
    samples: Repository[Sample],
) -> None:
    with pytest.raises(InvalidQueryError, match=r"limit\(\) takes a number from 1"):
        samples.find().limit(0)
    with pytest.raises(InvalidQueryError, match="a page has its own size"):
        await samples.find().limit(5).page(2)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, 2 * BATCH), (BATCH, BATCH), (BATCH + 1, BATCH + 1), (3, 3), (3 * BATCH, 2 * BATCH)],
)
async def test_async_for_goes_through_all_of_it_in_order(
    samples: Repository[Sample], limit: int | None, expected: int
) -> None:
    await fill(samples, 2 * BATCH)
    query = samples.find() if limit is None else samples.find().limit(limit)

    seen = [record.id async for record in query]

    assert seen == [f"{n:04}" for n in range(expected)]


async def test_select_projects_and_groups(samples: Repository[Sample]) -> None:
    await fill(samples, 6)

    pairs = await samples.find(Sample.rank == 0).select(Sample.id, Sample.rank)
    groups = await samples.find().select(Sample.room, count(), Sample.rank.max())

    assert pairs == [("0000", 0), ("0001", 0), ("0002", 0), ("0003", 0)]
    assert groups == [("a", 3, 1), ("b", 3, 1)]


async def test_a_question_about_another_entity_is_refused(samples: Repository[Sample]) -> None:
    with pytest.raises(InvalidQueryError, match="not a field of Sample"):
        samples.find(Stranger.id == "a")
    with pytest.raises(InvalidQueryError):
        samples.find().sort(Stranger.id.asc())
    with pytest.raises(InvalidQueryError):
        await samples.find().select(Stranger.id)
