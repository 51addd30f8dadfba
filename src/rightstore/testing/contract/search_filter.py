"""Checks of filters, order and positions in an index.

They cannot catch a difference in a condition that they do not ask.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from rightstore.errors import InvalidQueryError
from rightstore.ids import new_id
from rightstore.model.condition import Condition, Matches
from rightstore.ports.question import decode_position, encode_position
from rightstore.ports.search import Ask, Document, SearchStore
from rightstore.testing.contract.search_check import check
from rightstore.testing.contract.search_sample import (
    CARD,
    Card,
    Maker,
    asked,
    by,
    document,
    fill,
    found,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
FREE: Any = Card.free
SIZES: Any = Card.sizes


async def _each(store: SearchStore, cards: list[Card], asks: list[Condition]) -> list[str]:
    room = await fill(store, cards)
    return [await found(store, room, where=ask) for ask in asks]


@check()
async def scalars_are_compared_by_their_type(store: SearchStore) -> None:
    cards = [
        Card(id="a", in_stock=9, price=Decimal("10.00"), made_at=NOON, weight=-1.5),
        Card(id="b", in_stock=10, price=Decimal("9.5"), weight=2.0, day=date(2026, 1, 2)),
        Card(id="c", code=UUID(int=1), is_new=True, brand="z", day=date(826, 1, 2)),
    ]
    asks = [
        Card.in_stock < 10,
        Card.price > Decimal("9.50"),
        Card.price == Decimal(10),
        Card.price <= Decimal("9.5"),
        Card.made_at >= NOON,
        Card.made_at < NOON + timedelta(milliseconds=1),
        Card.in_stock == None,  # noqa: E711 - asks
        Card.in_stock != 9,
        ~(Card.in_stock < 10),
        (Card.in_stock == 9) | (Card.price == Decimal("9.50")),
        Card.in_stock.one_of([10, None]),
        Card.in_stock.one_of([]),
        Card.price.exists(),
        Card.weight < 0.0,
        Card.weight == 2.0,
        Card.code == UUID(int=1),
        Card.is_new == True,  # noqa: E712 - asks
        Card.day < date(2026, 1, 2),
        Card.brand > "Z",
    ]

    assert await _each(store, cards, asks) == [
        "a", "a", "a", "b", "a", "a", "c", "bc", "bc", "ab", "bc", "", "ab", "a", "b", "c", "c",
        "c", "c",
    ]  # fmt: skip


@check()
async def decimals_are_exact_in_filters_and_order(store: SearchStore) -> None:
    values = ["-1E+30", "-10.5", "-1.23", "-1.2", "-1E-30", "0", "1E-30", "0.1",
              "1.000000000000000000000000000000001", "1.00000000000000000000000000000001", "2",
              "10", "1E+30"]  # fmt: skip
    numbers = [Decimal(value) for value in values]
    cards = [Card(id=chr(97 + at), price=number) for at, number in enumerate(numbers)]
    room = await fill(store, reversed(cards))

    assert await found(store, room, orders=by(Card.price.asc())) == "abcdefghijklm"
    for at, number in enumerate(numbers):
        assert await found(store, room, where=Card.price == number) == chr(97 + at)
        assert await found(store, room, where=Card.price < number) == "abcdefghijklm"[:at]


@check()
async def whole_numbers_are_exact_to_64_bits(store: SearchStore) -> None:
    cards = [Card(id="a", in_stock=2**63 - 1), Card(id="b", in_stock=2**63 - 2)]

    asks = [Card.in_stock == 2**63 - 1, Card.in_stock < 2**63 - 1]
    assert await _each(store, cards, asks) == ["a", "b"]


@check()
async def texts_are_compared_and_sorted_by_code_points(store: SearchStore) -> None:
    brands = ["", "A", "B", "a", "a b", "ab", "é", "\uffff", "\U0001f600"]
    cards = [Card(id=str(at), brand=brand) for at, brand in enumerate(brands)]
    room = await fill(store, reversed(cards))

    assert await found(store, room, orders=by(Card.brand.asc())) == "012345678"
    assert await found(store, room, where=Card.brand < "a") == "012"
    assert await found(store, room, where=Card.brand.starts_with("a")) == "345"
    assert await found(store, room, where=Card.brand.starts_with("%")) == ""
    assert await found(store, room, where=Card.brand == "") == "0"


@check()
async def nested_values_are_found(store: SearchStore) -> None:
    cards = [
        Card(id="a", maker=Maker(since=3, country="n"), tags=["x", "y"]),
        Card(id="b", maker=Maker(), makers=[Maker(since=1, country="x"), Maker(since=9)]),
        Card(id="c", tags=["xy"], makers=[Maker(since=9, country="x")]),
    ]
    asks = [
        Card.maker.since >= 3,
        Card.maker.country == None,  # noqa: E711 - asks
        Card.maker.exists(),
        Card.tags.has("x"),
        ~Card.tags.has("x"),
        Card.tags.exists(),
        Card.makers.any((Maker.since > 5) & (Maker.country == "x")),
        Card.makers.any((Maker.since > 5) & (Maker.country == None)),  # noqa: E711 - asks
        Card.makers.any(~(Maker.country == "x")),
        ~Card.makers.any(Maker.since > 5),
        Card.makers.any(Maker.country.exists() | (Maker.since == 9)),
    ]

    assert await _each(store, cards, asks) == [
        "a", "bc", "ab", "a", "bc", "abc", "c", "b", "b", "a", "bc",
    ]  # fmt: skip


@check()
async def free_form_values_are_found_by_type_and_value(store: SearchStore) -> None:
    cards = [
        Card(id="a", free={"n": {"g": "5G"}, "v": 1, "0": ["x"]}),
        Card(id="b", free={"n": "5G", "v": True}),
        Card(id="c", free={"n": ["5G", None], "v": "1"}),
        Card(id="d", free={"n": None, "v": [1, "x"]}),
        Card(id="e", free={"n": {}, "v": 1.5}, sizes={"x l": 3}),
        Card(id="f", free={"v": -7, "n": {"a\"b'c": {"d": 2**60}}}),
    ]
    asks = [
        FREE["n"]["g"] == "5G",
        FREE["n"] == "5G",
        FREE["n"].has("5G"),
        FREE["n"].has(None),
        FREE["n"].exists(),
        FREE["v"] == 1,
        FREE["v"] == 1.0,
        FREE["v"] == True,  # noqa: E712 - asks
        FREE["v"] == "1",
        FREE["v"] >= 1,
        FREE["v"] < 1,
        FREE["v"] > -7.5,
        FREE["v"] >= "0",
        FREE["v"].has("x"),
        FREE["v"].has(1.0),
        FREE["v"].starts_with("1"),
        FREE["v"].one_of(["1", True]),
        FREE["0"]["0"] == "x",
        FREE["n"]["a\"b'c"]["d"] == 2**60,
        SIZES["x l"] >= 3,
        FREE["n"] == None,  # noqa: E711 - asks
    ]

    assert await _each(store, cards, asks) == [
        "a", "b", "c", "c", "abcef", "a", "a", "b", "c", "ae", "f", "aef", "c", "d", "d", "c", "bc",
        "", "f", "e", "d",
    ]  # fmt: skip


@check()
async def words_and_filters_go_together(store: SearchStore) -> None:
    cards = [
        Card(id="a", title="red", in_stock=1),
        Card(id="b", title="red", in_stock=2),
        Card(id="c", title="blue", in_stock=2),
    ]
    room = await fill(store, cards)

    assert await found(store, room, "red", where=Card.in_stock == 2) == "b"


@check()
async def none_comes_first_going_up_and_last_going_down(store: SearchStore) -> None:
    cards = [
        Card(id="a", in_stock=2, is_new=True, brand="x"),
        Card(id="b", brand="y"),
        Card(id="c", in_stock=1, maker=Maker(since=4)),
    ]
    room = await fill(store, cards)

    asks = [
        (Card.in_stock.asc(),),
        (Card.in_stock.desc(),),
        (Card.is_new.desc(), Card.id.desc()),
        (Card.brand.asc(),),
        (Card.maker.since.desc(), Card.brand.desc()),
    ]
    found_by = [await found(store, room, orders=by(*orders)) for orders in asks]
    assert found_by == ["bca", "acb", "acb", "cab", "cba"]


@check()
async def pages_by_fields_show_each_once(store: SearchStore) -> None:
    ranks = [None, 3, 1, None, 2, 2, 2, 3, 1, 5]
    cards = [
        Card(id=f"{at:02}", in_stock=rank, is_new=at % 2 == 0, price=Decimal(at) / 7)
        for at, rank in enumerate(ranks)
    ]
    room = await fill(store, cards)

    for orders in (
        by(Card.in_stock.asc()),
        by(Card.in_stock.desc()),
        by(Card.is_new.asc(), Card.in_stock.desc()),
        by(Card.is_new.desc()),
        by(Card.brand.asc(), Card.price.desc()),
        by(Card.brand.desc(), Card.made_at.asc(), Card.code.desc()),
    ):
        whole = await asked(store, room, Ask(orders=orders, size=100))
        keys, ask = [], Ask(orders=orders, size=3)
        for _ in range(4):
            hits = await asked(store, room, ask)
            keys += [hit.key for hit in hits.items]
            assert hits.total == 10
            cursor = encode_position(CARD, ask, hits.next) if hits.next else ""
            after = decode_position(CARD, ask, cursor) if cursor else None
            ask = Ask(orders=orders, size=3, after=after)
        assert after is None
        assert keys == [hit.key for hit in whole.items]
        assert len(set(keys)) == 10


@check()
async def a_page_stays_right_while_others_write(store: SearchStore) -> None:
    room = await fill(store, [Card(id=f"{at:02}", in_stock=at // 2) for at in range(12)])
    index = store.index(CARD)
    orders, seen, after = by(Card.in_stock.asc()), [], None

    for turn in range(10):
        hits = await asked(store, room, Ask(orders=orders, size=2, after=after))
        seen += [hit.key.removeprefix(room) for hit in hits.items]
        after = hits.next
        if after is None:
            break
        await index.index(
            [
                document(Card(id=f"{room}00.{turn}", room=room, in_stock=-1)),
                Document(f"{room}11", turn + 2, None),
            ]
        )
        await index.settle()

    assert seen == [f"{at:02}" for at in range(11)]


@check()
async def a_cursor_belongs_to_its_question(store: SearchStore) -> None:
    room = await fill(store, [Card(), Card()])
    ask = Ask(orders=by(Card.brand.asc()), size=1)
    hits = await asked(store, room, ask)
    assert hits.next is not None

    cursor = encode_position(CARD, ask, hits.next)

    for other in (Ask(), Ask(orders=by()), Ask(orders=ask.orders, where=Card.in_stock == 1)):
        with pytest.raises(InvalidQueryError, match="cursor"):
            decode_position(CARD, other, cursor)
    relevant = encode_position(CARD, Ask(), (7,))
    assert decode_position(CARD, Ask(), relevant) == (7,)
    with pytest.raises(InvalidQueryError, match="cursor"):
        decode_position(CARD, ask, relevant)


@check()
async def a_page_of_nothing_still_counts(store: SearchStore) -> None:
    room = await fill(store, [Card(), Card()])

    hits = await asked(store, room, Ask(size=0))

    assert (hits.total, hits.items, hits.next) == (2, (), None)


@check()
async def matches_is_no_filter_here(store: SearchStore) -> None:
    with pytest.raises(InvalidQueryError, match="matches"):
        await asked(store, new_id(), Ask(where=Matches(CARD.place("title"), ("x",))))
