"""Checks of facets and histograms: exact, over all pages, in an order of their own.

They cannot catch a miscount that only a great index would show.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from rightstore.errors import InvalidQueryError
from rightstore.ports.search import Ask, Facet, Histogram, SearchStore, Tally
from rightstore.testing.contract.search_check import check
from rightstore.testing.contract.search_sample import CARD, Card, Maker, asked, by, fill

JANUARY = datetime(2026, 1, 31, 23, 59, 59, 999_000, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


def _facet(path: str, limit: int = 20) -> Facet:
    return Facet(CARD.place(path), limit)


def _histogram(path: str, step: Any) -> Histogram:
    return Histogram(CARD.place(path), step)


def _plain(tallies: tuple[Tally, ...]) -> list[tuple[Any, int]]:
    return [(one.value, one.count) for one in tallies]


async def _facets(store: SearchStore, cards: list[Card], *facets: Facet) -> list[Any]:
    room = await fill(store, cards)
    hits = await asked(store, room, Ask(facets=facets, size=1))
    return [_plain(tallies) for tallies in hits.facets]


async def _histograms(store: SearchStore, cards: list[Card], *given: Histogram) -> list[Any]:
    room = await fill(store, cards)
    hits = await asked(store, room, Ask(histograms=given, size=1))
    return [_plain(tallies) for tallies in hits.histograms]


@check()
async def a_facet_counts_by_value_the_most_frequent_first(store: SearchStore) -> None:
    brands = ["b", "a", None, "b", "", "A", "a", "c"]

    facets = await _facets(store, [Card(brand=brand) for brand in brands], _facet("brand"))

    assert facets == [[("a", 2), ("b", 2), ("", 1), ("A", 1), ("c", 1)]]


@check()
async def a_facet_of_a_list_counts_each_item_once(store: SearchStore) -> None:
    cards = [Card(tags=["x", "y", "x"]), Card(tags=["y"]), Card()]

    assert await _facets(store, cards, _facet("tags")) == [[("y", 2), ("x", 1)]]


@check()
async def facets_keep_the_type_of_their_values(store: SearchStore) -> None:
    cards = [
        Card(in_stock=10, is_new=True, price=Decimal("1.10"), made_at=JANUARY),
        Card(in_stock=9, price=Decimal("1.1"), maker=Maker(country="de")),
        Card(in_stock=-1, price=Decimal("-1234567890123456789012345678901.234")),
    ]
    paths = ["in_stock", "is_new", "price", "made_at", "maker.country"]

    facets = await _facets(store, cards, *map(_facet, paths))

    assert facets == [
        [(-1, 1), (9, 1), (10, 1)],
        [(False, 2), (True, 1)],
        [(Decimal("1.1"), 2), (Decimal("-1234567890123456789012345678901.234"), 1)],
        [(JANUARY, 1)],
        [("de", 1)],
    ]
    assert [type(value) for value, _ in facets[1]] == [bool, bool]
    assert [type(value) for value, _ in facets[0]] == [int, int, int]


@check()
async def a_facet_shows_as_many_as_were_asked_for(store: SearchStore) -> None:
    cards = [Card(in_stock=at) for at in (1, 2, 2, 3, 3, 3)]

    assert await _facets(store, cards, _facet("in_stock", 2)) == [[(3, 3), (2, 2)]]


@check()
async def counts_are_those_of_the_question_not_of_the_page(store: SearchStore) -> None:
    cards = [Card(title="red" if at % 2 else "blue", in_stock=at) for at in range(10)]
    room = await fill(store, cards)
    ask = Ask("red", Card.in_stock < 8, by(), size=1)
    ask = replace(ask, facets=(_facet("in_stock"),), histograms=(_histogram("in_stock", 4),))
    first = await asked(store, room, ask)

    second = await asked(store, room, replace(ask, after=first.next))

    assert (first.total, second.total) == (4, 4)
    assert _plain(second.facets[0]) == [(1, 1), (3, 1), (5, 1), (7, 1)]
    assert _plain(second.histograms[0]) == [(0, 2), (4, 2)]


@check()
async def a_histogram_counts_by_step_from_zero(store: SearchStore) -> None:
    prices = ["99.99", "100", "199.9999999999999999999999999999", "-0.01", "-100", "0", "799.90"]
    cards = [Card(price=Decimal(price)) for price in prices]

    assert await _histograms(store, [*cards, Card()], _histogram("price", 100)) == [
        [(-100, 2), (0, 2), (100, 2), (700, 1)]
    ]


@check()
async def histograms_of_ints_and_floats_are_exact_at_their_borders(store: SearchStore) -> None:
    cards = [
        Card(in_stock=2**53, weight=2.9999999999999996),
        Card(in_stock=2**53 - 1, weight=3.0),
        Card(in_stock=2**60, weight=1e300),
        Card(in_stock=-7, weight=-0.5),
    ]

    found = await _histograms(store, cards, _histogram("in_stock", 7), _histogram("weight", 3))

    assert found == [
        [(-7, 1), (9_007_199_254_740_988, 2)],
        [(-3, 1), (0, 1), (3, 1)],
    ]


@check()
async def moments_are_counted_by_hour_day_and_month_in_utc(store: SearchStore) -> None:
    moments = [JANUARY, FEBRUARY, FEBRUARY.replace(minute=59), FEBRUARY.replace(day=28), None]
    old = datetime(1, 1, 1, 0, 30, tzinfo=UTC)
    cards = [Card(made_at=moment) for moment in [*moments, old]]
    units = [_histogram("made_at", unit) for unit in ("hour", "day", "month")]

    assert await _histograms(store, cards, *units) == [
        [
            (datetime(1, 1, 1, tzinfo=UTC), 1),
            (datetime(2026, 1, 31, 23, tzinfo=UTC), 1),
            (FEBRUARY, 2),
            (datetime(2026, 2, 28, tzinfo=UTC), 1),
        ],
        [
            (date(1, 1, 1), 1),
            (date(2026, 1, 31), 1),
            (date(2026, 2, 1), 2),
            (date(2026, 2, 28), 1),
        ],
        [(date(1, 1, 1), 1), (date(2026, 1, 1), 1), (date(2026, 2, 1), 3)],
    ]


@check()
async def too_fine_a_histogram_is_refused(store: SearchStore) -> None:
    room = await fill(store, [Card(in_stock=at) for at in range(1_001)])

    with pytest.raises(InvalidQueryError, match="wider"):
        await asked(store, room, Ask(size=0, histograms=(_histogram("in_stock", 1),)))
    hits = await asked(store, room, Ask(size=0, histograms=(_histogram("in_stock", 2),)))

    assert len(hits.histograms[0]) == 501


@check()
async def a_count_that_means_nothing_is_refused(store: SearchStore) -> None:
    index = store.index(CARD)
    wrong = [
        Ask(facets=(_facet("title"),)),
        Ask(facets=(_facet("brand", 0),)),
        Ask(histograms=(_histogram("price", 0),)),
        Ask(histograms=(_histogram("price", "day"),)),
        Ask(histograms=(_histogram("made_at", 5),)),
        Ask(histograms=(_histogram("brand", 5),)),
    ]

    for ask in wrong:
        with pytest.raises(InvalidQueryError):
            await index.query(ask)
