"""Checks of what an index takes: versions, tombstones, outcomes, generations.

They cannot catch what only a server that loses acknowledged writes would do.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from rightstore.errors import ConstraintError, UsageError
from rightstore.ids import new_id
from rightstore.model.record import to_stored
from rightstore.ports.search import MAX_TEXT, Ask, Document, Facet, SearchStore
from rightstore.testing.contract.search_check import check
from rightstore.testing.contract.search_sample import (
    CARD,
    CHAPTER,
    UNSEARCHED,
    Card,
    Chapter,
    Maker,
    asked,
    document,
    fill,
    found,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@check()
async def what_was_taken_is_found_exactly_as_it_was(store: SearchStore) -> None:
    card = Card(
        id="a",
        title="Käse & <b>Brot</b>",
        tags=["x", ""],
        brand="",
        price=Decimal("1234567890123456789012345678901.10"),
        in_stock=2**63 - 1,
        weight=0.1,
        is_new=True,
        made_at=NOON,
        day=date(1, 1, 1),
        code=UUID(int=7),
        maker=Maker(name="m"),
        makers=[Maker(name="n", since=-(2**63))],
        free={"z": [1, 1.5, None, {"$set": {"a.b": "x"}}], "a": {"": True}},
        sizes={"xl": 3},
    )
    room = await fill(store, [card])

    hits = await asked(store, room, Ask())

    (hit,) = hits.items
    assert hit.data == to_stored(card)
    assert str(hit.data["price"]) == "1234567890123456789012345678901.10"
    assert list(hit.data["free"]) == ["z", "a"]
    assert (hit.key, hit.version) == (card.id, 1)


@check()
async def an_older_version_changes_nothing_and_succeeds(store: SearchStore) -> None:
    room = await fill(store, [])
    card = Card(room=room, title="five")
    index = store.index(CARD)

    took = await index.index([document(card, 5)])
    again = await index.index([document(Card(id=card.id, room=room, title="same"), 5)])
    stale = await index.index([document(Card(id=card.id, room=room, title="four"), 4)])
    newer = await index.index([document(Card(id=card.id, room=room, title="six"), 6)])

    await index.settle()
    assert (took, again, stale, newer) == ([True], [False], [False], [True])
    hits = await asked(store, room, Ask())
    assert [(hit.version, hit.data["title"]) for hit in hits.items] == [(6, "six")]


@check()
async def a_tombstone_hides_a_document_and_bars_older_ones(store: SearchStore) -> None:
    room = await fill(store, [])
    card = Card(room=room, title="gone", brand="b")
    index = store.index(CARD)
    await index.index([document(card, 2)])

    took = await index.index([Document(card.id, 3, None)])
    late = await index.index([document(card, 2)])

    await index.settle()
    hits = await asked(store, room, Ask(facets=(Facet(CARD.place("brand")),)))
    assert (took, late) == ([True], [False])
    assert (hits.total, hits.items, hits.facets) == (0, (), ((),))


@check()
async def a_tombstone_may_come_first_and_a_newer_document_lives(store: SearchStore) -> None:
    room = await fill(store, [])
    card = Card(room=room, title="back")
    index = store.index(CARD)

    first = await index.index([Document(card.id, 3, None)])
    late = await index.index([document(card, 1)])
    newer = await index.index([document(card, 4)])

    await index.settle()
    assert (first, late, newer) == ([True], [False], [True])
    assert (await asked(store, room, Ask("back"))).total == 1


@check()
async def any_order_of_writes_ends_with_the_newest(store: SearchStore) -> None:
    room = await fill(store, [])
    ids = [new_id() for _ in range(5)]
    index = store.index(CARD)
    writes = [
        [document(Card(id=one, room=room, title=f"v{version}"), version) for one in ids]
        for version in (3, 1, 6, 2, 5, 4)
    ]

    outcomes = await asyncio.gather(*(index.index(batch) for batch in writes))

    await index.settle()
    hits = await asked(store, room, Ask())
    assert {(hit.version, hit.data["title"]) for hit in hits.items} == {(6, "v6")}
    assert all(isinstance(one, bool) for some in outcomes for one in some)
    assert outcomes[2] == [True] * 5


@check()
async def one_document_that_is_refused_stops_no_other(store: SearchStore) -> None:
    room = await fill(store, [])
    long = " ".join(f"word{n:05}" for n in range(MAX_TEXT // 9 + 1))
    cards = [Card(room=room), Card(room=room, body=long), Card(room=room)]
    index = store.index(CARD)

    first, second, third = await index.index([document(card) for card in cards])

    await index.settle()
    assert first is True
    assert isinstance(second, ConstraintError)
    assert third is True
    assert (await asked(store, room, Ask())).total == 2


@check()
async def a_long_text_and_a_long_key_are_taken(store: SearchStore) -> None:
    room = await fill(store, [])
    key = "k" * 600 + new_id()
    card = Card(id=key, room=room, title="t" * 5_000, body=" ".join(map(str, range(20_000))))
    other = Card(id=key + "x", room=room, title="t" * 5_000 + "u", brand="b" * 40_000)
    index = store.index(CARD)

    took = await index.index([document(card), document(other)])

    await index.settle()
    assert took == [True, True]
    assert (await asked(store, room, Ask("19999"))).total == 1
    assert (await asked(store, room, Ask("", Card.title == "t" * 5_000))).total == 1
    assert (await asked(store, room, Ask("", Card.brand == "b" * 40_000))).items[0].key == other.id


@check()
async def many_are_taken_at_once(store: SearchStore) -> None:
    room = await fill(store, [])
    cards = [Card(room=room, title=f"n{n}") for n in range(1_200)]
    index = store.index(CARD)

    outcomes = await index.index([document(card) for card in cards])

    await index.settle()
    assert outcomes == [True] * 1_200
    assert (await asked(store, room, Ask(size=0))).total == 1_200
    assert (await asked(store, room, Ask("n777"))).items[0].key == cards[777].id


@check()
async def nothing_is_taken_of_nothing(store: SearchStore) -> None:
    assert await store.index(CARD).index([]) == []


@check()
async def what_must_not_come_in_one_call_is_refused(store: SearchStore) -> None:
    room = await fill(store, [])
    card = Card(room=room)
    index = store.index(CARD)

    with pytest.raises(UsageError, match="twice"):
        await index.index([document(card, 1), document(card, 2)])
    with pytest.raises(UsageError, match="version"):
        await index.index([document(card, 0)])

    await index.settle()
    assert (await asked(store, room, Ask())).total == 0


@check()
async def an_entity_without_search_is_refused(store: SearchStore) -> None:
    with pytest.raises(UsageError, match="Search"):
        await store.prepare(UNSEARCHED)
    with pytest.raises(UsageError, match="Search"):
        await store.index(UNSEARCHED).query(Ask())


async def _titles(store: SearchStore, generation: int | None = None) -> list[str]:
    index = store.index(CHAPTER, generation)
    await index.settle()
    hits = await index.query(Ask())
    return sorted(hit.data["title"] for hit in hits.items)


@check()
async def a_generation_is_filled_apart_and_swapped_in_one_step(store: SearchStore) -> None:
    await store.prepare(CHAPTER)
    old = Chapter(title="old")
    await store.index(CHAPTER).index([document(old)])
    before = await _titles(store)
    new = await store.create(CHAPTER)
    await store.index(CHAPTER, new).index([document(Chapter(title="new"))])

    still, filled = await _titles(store), await _titles(store, new)
    await store.swap(CHAPTER, new)
    await store.swap(CHAPTER, new)

    assert (still, filled) == (before, ["new"])
    assert await _titles(store) == ["new"]
    assert await store.index(CHAPTER).index([document(Chapter(title="newer"))]) == [True]
    assert await _titles(store, new) == ["new", "newer"]


@check()
async def a_version_in_one_generation_bars_none_in_another(store: SearchStore) -> None:
    await store.prepare(CHAPTER)
    chapter = Chapter(title="nine")
    await store.index(CHAPTER).index([document(chapter, 9)])
    new = await store.create(CHAPTER)

    took = await store.index(CHAPTER, new).index([document(chapter, 8)])
    await store.swap(CHAPTER, new)

    assert took == [True]
    assert await store.index(CHAPTER).index([document(chapter, 8)]) == [False]


@check()
async def the_generation_before_is_gone_and_is_not_made_again(store: SearchStore) -> None:
    await store.prepare(CHAPTER)
    one, two = await store.create(CHAPTER), await store.create(CHAPTER)
    await store.swap(CHAPTER, one)
    await store.swap(CHAPTER, two)

    for generation in (one, 999_999):
        index = store.index(CHAPTER, generation)
        with pytest.raises(UsageError, match="no such search index"):
            await index.index([document(Chapter(title="late"))])
        with pytest.raises(UsageError, match="no such search index"):
            await index.query(Ask())
        with pytest.raises(UsageError, match="no such search index"):
            await store.swap(CHAPTER, generation)

    assert one != two
    assert await _titles(store) == []


@check()
async def a_generation_that_is_not_live_is_dropped(store: SearchStore) -> None:
    await store.prepare(CHAPTER)
    kept, lost = await store.create(CHAPTER), await store.create(CHAPTER)
    await store.swap(CHAPTER, kept)

    await store.drop(CHAPTER, lost)
    await store.drop(CHAPTER, lost)
    with pytest.raises(UsageError, match="live"):
        await store.drop(CHAPTER, kept)

    with pytest.raises(UsageError, match="no such search index"):
        await store.index(CHAPTER, lost).query(Ask())
    assert await _titles(store) == []


@check()
async def to_prepare_again_or_at_once_does_no_harm(store: SearchStore) -> None:
    room = await fill(store, [Card(id="a")])

    await asyncio.gather(*(store.prepare(CARD) for _ in range(4)))

    assert await found(store, room) == "a"
