"""Questions put together at random have the same answer in each store of search as in memory.

Relevance is left out: each store has a measure of its own, and the suite says what they share.
"""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.contract.search import BUILDERS, REAL, url_of  # noqa: F401 - a fixture

from rightstore.adapters.memory.search import MemorySearch
from rightstore.clock import SYSTEM
from rightstore.model.condition import Condition
from rightstore.ports.search import Ask, Document, Facet, Histogram, SearchStore
from rightstore.testing.contract.search_sample import CARD, Card, Maker, by, document

ROUNDS, CARDS = 150, 80
WORDS = ["bike", "bikes", "bake", "biek", "red", "reed", "bell", "bel", "café", "x1", "2024"]
FREE: Any = Card.free
FACETS = ["brand", "tags", "in_stock", "is_new", "price", "made_at", "maker.country"]
START = datetime(2026, 1, 30, 22, 59, 59, 999_000, tzinfo=UTC)


class Dice(random.Random):
    """Makes cards and questions."""

    def text(self) -> str:
        return " ".join(self.choices(WORDS, k=self.randint(0, 4)))

    def maybe(self, *values: Any) -> Any:
        return self.choice([None, *values])

    def number(self) -> Decimal:
        return Decimal(self.randint(-50, 50)).scaleb(self.choice([-2, -1, 0, 0, 3]))

    def makers(self) -> list[Maker]:
        return [
            Maker(name=self.text(), country=self.maybe("de", "fr"), since=self.randint(0, 3))
            for _ in range(self.randint(0, 2))
        ]

    def card(self, at: int) -> Card:
        return Card(
            id=f"{at:03}",
            title=self.text(),
            body=self.text(),
            tags=self.choices(["a", "b", "C", "é"], k=self.randint(0, 3)),
            brand=self.maybe("a", "B", "", "ab"),
            price=self.maybe(self.number()),
            in_stock=self.maybe(*range(-2, 3)),
            weight=self.maybe(0.1, -2.5, 3.0),
            is_new=self.random() < 0.5,
            made_at=self.maybe(START + timedelta(hours=self.randint(0, 60))),
            day=self.maybe(date(2026, 1, self.randint(1, 3))),
            maker=self.choice([None, *self.makers()]),
            makers=self.makers(),
            free={"v": self.choice([None, 1, 1.0, 1.5, "1", True, [1, "x", None], {"g": 1}])},
        )

    def condition(self, depth: int = 2) -> Condition:
        if depth and self.random() < 0.5:
            one, two = self.condition(depth - 1), self.condition(depth - 1)
            return self.choice([one & two, one | two, ~one])
        leaves: list[Condition] = [
            Card.brand == self.maybe("a", "B"),
            Card.brand != self.maybe("a", "B"),
            Card.brand > "a",
            Card.brand.starts_with(self.choice(["a", "", "ab"])),
            Card.brand.one_of([None, "ab"]),
            Card.price <= self.number(),
            Card.price == self.number(),
            Card.in_stock.one_of([1, 2]),
            Card.weight > -2.5,
            Card.is_new == True,  # noqa: E712 - asks
            Card.made_at >= START + timedelta(hours=30),
            Card.day == date(2026, 1, 2),
            Card.maker.country == self.maybe("de"),
            Card.maker.exists(),
            Card.tags.has(self.choice(["a", "é", "none"])),
            Card.makers.any((Maker.since > 1) & ~(Maker.country == "de")),
            FREE["v"] == self.choice([1, "1", True, None]),
            FREE["v"] > 1,
            FREE["v"].has(self.choice([1, None])),
            FREE["v"]["g"].exists(),
        ]
        return self.choice(leaves)

    def ask(self) -> Ask:
        fields: list[Any] = [Card.brand, Card.price, Card.in_stock, Card.is_new, Card.made_at,
                             Card.weight, Card.day, Card.maker.since]  # fmt: skip
        chosen = self.sample(fields, self.randint(0, 3))
        orders = [field.desc() if self.random() < 0.5 else field.asc() for field in chosen]
        steps = [("price", 7), ("in_stock", 2), ("weight", 3), ("made_at", "hour"),
                 ("made_at", "day"), ("made_at", "month"), ("maker.since", 2)]  # fmt: skip
        return Ask(
            " ".join(self.choices([*WORDS, "bi", "beel"], k=self.choice([0, 1, 1, 2]))),
            self.maybe(self.condition()),
            by(*orders),
            self.randint(1, 9),
            prefix=self.random() < 0.5,
            typos=self.random() < 0.5,
            highlight=True,
            facets=tuple(Facet(CARD.place(path), self.randint(1, 5)) for path in FACETS),
            histograms=tuple(Histogram(CARD.place(path), step) for path, step in steps),  # type: ignore[arg-type]  # units are texts
        )


async def pages(store: SearchStore, ask: Ask) -> list[Any]:
    """Return all pages of an answer."""
    found: list[Any] = []
    while True:
        hits = await store.index(CARD).query(ask)
        found.append(hits)
        if hits.next is None:
            return found
        ask = Ask(ask.text, ask.where, ask.orders, ask.size, hits.next, ask.prefix, ask.typos)


@pytest.mark.parametrize("store", REAL)
async def test_questions_at_random_have_the_answers_of_memory(
    store: str, url: str, namespace: str
) -> None:
    dice, model = Dice(7), MemorySearch(SYSTEM)
    first = [document(dice.card(at), 2) for at in range(CARDS)]
    second = [document(dice.card(at), dice.choice([1, 3])) for at in range(0, CARDS, 3)]
    gone = [Document(f"{at:03}", 9, None) for at in range(0, CARDS, 10)]

    async with BUILDERS[store][0](url, namespace) as real:
        for opened in (real, model):
            await opened.prepare(CARD)
            for batch in (first, second, gone, first):
                await opened.index(CARD).index(batch)
            await opened.index(CARD).settle()
        for _ in range(ROUNDS):
            ask = dice.ask()
            assert await pages(real, ask) == await pages(model, ask), ask
