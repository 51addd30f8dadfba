"""Checks of find, count and select: conditions, order, positions, groups.

They cannot catch a difference in a condition that they do not ask; the parity test with memory as
the model asks many more. What each condition means in full is a test of `model.evaluate`. On a
store that is not `fresh` they hold while its indexes keep up.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rightstore.ids import new_id
from rightstore.model.condition import Condition
from rightstore.model.evaluate import position
from rightstore.model.measure import count
from rightstore.ports.records import Change, Delete, Find, RecordStore
from rightstore.testing.contract.check import check
from rightstore.testing.contract.sample import (
    ARTICLE,
    SAMPLE,
    Article,
    Sample,
    Side,
    fill,
    ids,
    new,
    sorted_by,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATE = datetime(2026, 1, 31, 23, 59, 59, 999_000, tzinfo=UTC)
FREE: Any = Sample.free
MANY = 20


async def asked(store: RecordStore, records: list[Sample], asks: list[Condition]) -> list[str]:
    """Put records into a room of their own; return the ids that each condition finds there."""
    room = new_id()
    for record in records:
        record.room, record.id = room, f"{room}{record.id}"
    await fill(store, records)
    found = [await ids(store, (Sample.room == room) & ask) for ask in asks]
    return ["".join(one.removeprefix(room) for one in some) for some in found]


@check()
async def an_indexed_condition_finds_in_order(store: RecordStore) -> None:
    room = new_id()
    await fill(store, [Sample(id=f"{room}{n}", room=room, rank=n % 3) for n in range(6)])

    up = await ids(store, (Sample.room == room) & (Sample.rank >= 1), Sample.rank.asc())
    down = await ids(store, Sample.room == room, Sample.rank.desc(), limit=3)

    assert [one.removeprefix(room) for one in up] == ["1", "4", "2", "5"]
    assert [one.removeprefix(room) for one in down] == ["5", "2", "4"]


@check("scan")
async def scalars_are_compared_by_their_type(store: RecordStore) -> None:
    records = [
        Sample(id="a", rank=9, price=Decimal("10.00"), made_at=NOON),
        Sample(id="b", rank=10, price=Decimal("9.5"), made_at=LATE),
        Sample(id="c"),
    ]
    asks = [
        Sample.rank < 10,
        Sample.price > Decimal("9.50"),
        Sample.price == Decimal(10),
        Sample.made_at >= LATE,
        Sample.rank == None,  # noqa: E711 - asks
        Sample.rank != 9,
        ~(Sample.rank < 10),
        (Sample.rank == 9) | (Sample.price == Decimal("9.50")),
        Sample.rank.one_of([10, None]),
        Sample.rank.one_of([]),
        Sample.price.exists(),
    ]

    found = await asked(store, records, asks)

    assert found == ["a", "a", "a", "b", "c", "bc", "bc", "ab", "bc", "", "ab"]


@check("scan")
async def nested_values_are_found(store: RecordStore) -> None:
    records = [
        Sample(id="a", side=Side(width=3, note="n"), tags=["x", "y"]),
        Sample(id="b", side=Side(), sides=[Side(width=1, note="x"), Side(width=9, note="y")]),
        Sample(id="c", tags=["xy"], sides=[Side(width=9, note="x")]),
    ]
    asks = [
        Sample.side.width >= 3,
        Sample.side.note == None,  # noqa: E711 - asks
        Sample.side.exists(),
        Sample.tags.has("x"),
        Sample.sides.any((Side.width > 5) & (Side.note == "x")),
        ~Sample.sides.any(Side.width > 5),
    ]

    assert await asked(store, records, asks) == ["a", "bc", "ab", "a", "c", "a"]


@check("scan")
async def free_form_values_are_found_by_type_and_value(store: RecordStore) -> None:
    records = [
        Sample(id="a", free={"n": {"g": "5G"}, "v": 1}),
        Sample(id="b", free={"n": "5G", "v": True}),
        Sample(id="c", free={"n": ["5G"], "v": "1"}),
        Sample(id="d", free={"n": None, "v": [1, "x"]}),
        Sample(id="e", free={"n": {}, "v": 1.5}),
    ]
    asks = [
        FREE["n"]["g"] == "5G",
        FREE["n"] == "5G",
        FREE["n"].has("5G"),
        FREE["n"].exists(),
        FREE["v"] == 1,
        FREE["v"] == True,  # noqa: E712 - asks
        FREE["v"] == "1",
        FREE["v"] >= 1,
        FREE["v"].has("x"),
        FREE["v"] != 1,
        FREE["gone"] == None,  # noqa: E711 - asks
    ]

    found = await asked(store, records, asks)

    assert found == ["a", "b", "c", "abce", "a", "b", "c", "ae", "d", "bcde", "abcde"]


@check("scan")
async def text_is_data_and_ordered_by_code_points(store: RecordStore) -> None:
    texts = {"a": "Zebra", "b": "apple", "c": "ä", "d": "a%", "e": "a_b", "f": "'; DROP", "g": ""}
    records = [Sample(id=name, free={"t": text}) for name, text in texts.items()]
    asks = [
        FREE["t"].starts_with("a%"),
        FREE["t"].starts_with("a_"),
        FREE["t"].starts_with(""),
        FREE["t"] == "'; DROP",
        FREE["t"] < "apple",
        FREE["t"] > "z",
    ]

    found = await asked(store, records, asks)

    assert found == ["d", "e", "abcdefg", "f", "adefg", "c"]


@check("text")
async def words_are_found_in_text(store: RecordStore) -> None:
    room = new_id()
    texts = ["Red shoes, new!", "redder shoes", "red"]
    articles = [Article(id=f"{room}{n}", room=room, body=text) for n, text in enumerate(texts)]
    await fill(store, articles)
    queries = store.queries(ARTICLE)

    found = [
        [one.data["body"] for one in await queries.find(Find(Article.body.matches(words)))]
        for words in ("SHOES red", "red", "blue")
    ]

    assert [sorted(set(texts) & set(some)) for some in found] == [
        ["Red shoes, new!"],
        ["Red shoes, new!", "red"],
        [],
    ]


@check("scan")
async def none_comes_first_going_up_and_last_going_down(store: RecordStore) -> None:
    room = new_id()
    ranks = {"a": 2, "b": None, "c": -1, "d": None, "e": 10}
    await fill(store, [Sample(id=f"{room}{n}", room=room, rank=r) for n, r in ranks.items()])
    mine = Sample.room == room

    up = await ids(store, mine, Sample.rank.asc())
    down = await ids(store, mine, Sample.rank.desc())

    assert "".join(one.removeprefix(room) for one in up) == "bdcae"
    assert "".join(one.removeprefix(room) for one in down) == "eacdb"


@check("scan")
async def a_page_begins_after_a_position(store: RecordStore) -> None:
    room = new_id()
    ranks = [None, 1, 1, None, 2, 1, 0]
    await fill(store, [Sample(id=f"{room}{n}", room=room, rank=r) for n, r in enumerate(ranks)])

    for orders, expected in (
        (sorted_by(Sample.rank.asc()), "0361254"),
        (sorted_by(Sample.rank.desc()), "4521630"),
        (sorted_by(), "0123456"),
    ):
        seen: list[str] = []
        after: tuple[Any, ...] | None = None
        for _ in ranks:
            page = await store.queries(SAMPLE).find(Find(Sample.room == room, orders, 2, after))
            seen += [one.key.removeprefix(room) for one in page]
            after = position(page[-1].data, orders) if page else after
        assert "".join(seen) == expected


@check()
async def what_is_deleted_or_changed_is_found_as_it_is_now(store: RecordStore) -> None:
    room = new_id()
    gone, moved, stays = (Sample(id=f"{room}{n}", room=room, rank=1) for n in range(3))
    await fill(store, [gone, moved, stays])
    records = store.records(SAMPLE)

    await records.delete(Delete(gone.id))
    await records.change(Change(moved.id, (Sample.rank.set(2),)))

    mine = Sample.room == room
    assert await ids(store, mine & (Sample.rank == 1)) == [stays.id]
    assert await ids(store, mine & (Sample.rank == 2)) == [moved.id]
    assert await store.queries(SAMPLE).count(mine) == 2


@check()
async def what_is_found_has_its_version(store: RecordStore) -> None:
    record = Sample(room=new_id())
    await fill(store, [record])
    await store.records(SAMPLE).change(Change(record.id, (Sample.rank.set(1),)))

    found = await store.queries(SAMPLE).find(Find(Sample.room == record.room, sorted_by()))

    assert found == [await store.records(SAMPLE).get(record.id)]


@check("fresh")
async def what_was_just_written_is_found_and_counted(store: RecordStore) -> None:
    room, seen = new_id(), []
    mine = Sample.room == room

    for number in range(MANY):
        await store.records(SAMPLE).put(new(Sample(id=f"{room}{number:02}", room=room)))
        last = await ids(store, mine & (Sample.id == f"{room}{number:02}"))
        seen.append(
            (len(last), len(await ids(store, mine)), await store.queries(SAMPLE).count(mine))
        )

    assert seen == [(1, number + 1, number + 1) for number in range(MANY)]


@check()
async def records_are_counted(store: RecordStore) -> None:
    room = new_id()
    queries = store.queries(SAMPLE)
    await fill(store, [Sample(room=room, rank=n) for n in range(5)])

    assert await queries.count(Sample.room == room) == 5
    assert await queries.count((Sample.room == room) & (Sample.rank > 2)) == 2
    assert await queries.count(Sample.room == new_id()) == 0


@check()
async def columns_are_selected_in_the_order_of_the_records(store: RecordStore) -> None:
    room = new_id()
    await fill(
        store, [Sample(room=room, rank=n, side=Side(width=n) if n else None) for n in range(3)]
    )
    what = Find(Sample.room == room, sorted_by(Sample.rank.desc()), 2)

    rows = await store.queries(SAMPLE).select(what, [Sample.rank, Sample.side.width])

    assert rows == [(2, 2), (1, 1)]


@check("aggregate")
async def groups_have_aggregates_in_the_order_of_their_keys(store: RecordStore) -> None:
    room = new_id()
    values = [(1, "0.10"), (None, "0.20"), (1, None), (2, "5"), (1, "0.20")]
    await fill(
        store,
        [Sample(room=room, rank=r, price=None if p is None else Decimal(p)) for r, p in values],
    )
    price = Sample.price

    rows = await store.queries(SAMPLE).select(
        Find(Sample.room == room),
        [Sample.rank, count(), price.sum(), price.avg(), price.min(), price.max()],
    )

    assert rows == [
        (None, 1, Decimal("0.2"), Decimal("0.2"), Decimal("0.2"), Decimal("0.2")),
        (1, 3, Decimal("0.3"), Decimal("0.15"), Decimal("0.1"), Decimal("0.2")),
        (2, 1, Decimal(5), Decimal(5), Decimal(5), Decimal(5)),
    ]


@check("aggregate")
async def moments_fall_into_buckets_of_utc(store: RecordStore) -> None:
    room = new_id()
    moments = [NOON, LATE, LATE + timedelta(milliseconds=1), None, NOON + timedelta(minutes=59)]
    await fill(store, [Sample(room=room, made_at=moment) for moment in moments])
    queries, what = store.queries(SAMPLE), Find(Sample.room == room)

    hours = await queries.select(what, [Sample.made_at.hour(), count()])
    days = await queries.select(what, [Sample.made_at.day(), count()])
    months = await queries.select(what, [Sample.made_at.month(), count()])

    first = datetime(2026, 2, 1, tzinfo=UTC)
    assert hours == [(NOON, 2), (LATE.replace(minute=0, second=0, microsecond=0), 1), (first, 1)]
    assert days == [(date(2026, 1, 31), 3), (date(2026, 2, 1), 1)]
    assert months == [(date(2026, 1, 1), 3), (date(2026, 2, 1), 1)]


@check("aggregate")
async def nothing_makes_no_group(store: RecordStore) -> None:
    queries, what = store.queries(SAMPLE), Find(Sample.room == new_id())

    assert await queries.select(what, [Sample.rank, count()]) == []
    assert await queries.select(what, [count(), Sample.price.sum()]) == []


@check()
async def many_puts_are_found(store: RecordStore) -> None:
    room = new_id()
    written = [new(Sample(id=f"{room}{n:03}", room=room)) for n in range(120)]

    assert await store.records(SAMPLE).put_many(written) == [1] * 120
    assert await ids(store, Sample.room == room) == [write.key for write in written]
