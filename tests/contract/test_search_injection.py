"""Nothing that a caller hands to a search can become a query: each hostile text is only itself.

It cannot try every text; that none is parsed at all is what the adapters' queries are made of.
"""

from typing import Any

import pytest
from tests.contract.injection import INJECTIONS
from tests.contract.search import BUILDERS, REAL, url_of  # noqa: F401 - a fixture

from rightstore.adapters.memory.search import MemorySearch
from rightstore.clock import SYSTEM
from rightstore.errors import InvalidQueryError
from rightstore.model.condition import Condition
from rightstore.ports.question import decode_position
from rightstore.ports.search import Ask, SearchStore
from rightstore.testing.contract.search_sample import CARD, Card, by, document

FREE: Any = Card.free


def cards() -> list[Card]:
    """One card for each hostile text, which is in it wherever a text can be."""
    return [
        Card(
            id=f"{at:03} {text}",
            title=f"{text} n{at}",
            tags=[text],
            brand=text,
            free={"v": text, text: {"deep": at}, "list": [text]},
        )
        for at, text in enumerate(INJECTIONS)
    ]


async def fill(store: SearchStore) -> None:
    await store.prepare(CARD)
    index = store.index(CARD)
    assert await index.index([document(card) for card in cards()]) == [True] * len(INJECTIONS)
    await index.settle()


async def found(store: SearchStore, ask: Ask) -> list[int]:
    hits = await store.index(CARD).query(ask)
    return [int(hit.key[:3]) for hit in hits.items]


def conditions(text: str) -> list[Condition]:
    return [
        Card.brand == text,
        Card.tags.has(text),
        Card.brand.one_of([text]),
        FREE["v"] == text,
        FREE["list"].has(text),
    ]


@pytest.mark.parametrize("store", ["memory", *REAL])
async def test_a_hostile_value_finds_only_itself(store: str, url: str, namespace: str) -> None:
    async with BUILDERS[store][0](url, namespace) as opened:
        await fill(opened)

        for at, text in enumerate(INJECTIONS):
            for condition in conditions(text):
                assert await found(opened, Ask(where=condition)) == [at]
            starting = [n for n, other in enumerate(INJECTIONS) if other.startswith(text)]
            prefixed = Card.brand.starts_with(text)
            assert await found(opened, Ask(where=prefixed, orders=by(), size=100)) == starting


@pytest.mark.parametrize("store", ["memory", *REAL])
async def test_a_hostile_key_reaches_only_what_is_there(
    store: str, url: str, namespace: str
) -> None:
    reached = 0
    async with BUILDERS[store][0](url, namespace) as opened:
        await fill(opened)

        for at, text in enumerate(INJECTIONS):
            try:
                condition = FREE[text]["deep"] == at
            except InvalidQueryError:
                continue
            assert await found(opened, Ask(where=condition)) == [at]
            reached += 1

    assert reached > 40


@pytest.mark.parametrize("store", ["memory", *REAL])
async def test_hostile_words_find_what_they_find_in_memory(
    store: str, url: str, namespace: str
) -> None:
    model = MemorySearch(SYSTEM)
    await fill(model)
    async with BUILDERS[store][0](url, namespace) as opened:
        await fill(opened)

        for text in INJECTIONS:
            for ask in (
                Ask(text, orders=by(), size=100),
                Ask(text, orders=by(), size=100, prefix=True, typos=True, highlight=True),
            ):
                mine, theirs = opened.index(CARD), model.index(CARD)
                assert await mine.query(ask) == await theirs.query(ask)
                assert await mine.suggest(text) == await theirs.suggest(text)
        everything = await found(opened, Ask(orders=by(), size=100))

    assert everything == list(range(len(INJECTIONS)))


def test_a_hostile_cursor_is_refused() -> None:
    for text in INJECTIONS:
        for ask in (Ask(), Ask(orders=by(Card.brand.asc()))):
            with pytest.raises(InvalidQueryError, match="cursor"):
                decode_position(CARD, ask, text)
