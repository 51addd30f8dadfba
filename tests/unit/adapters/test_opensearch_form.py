"""What OpenSearch is given, without a server: numbers as text, names, mappings, questions."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightstore.adapters.opensearch.encoding import keyword, number_of, sortable
from rightstore.adapters.opensearch.layout import layout_of, mapping_of
from rightstore.adapters.opensearch.name import alias_of, generation_of, id_of, index_of
from rightstore.adapters.opensearch.question import body_of
from rightstore.errors import UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, Maybe, field
from rightstore.model.part import Part
from rightstore.model.wish import Search
from rightstore.ports.search import Ask
from rightstore.testing.contract.search_sample import CARD, Card

numbers = st.decimals(allow_nan=False, allow_infinity=False) | st.decimals(
    min_value=-2, max_value=2, places=3
)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,9}", fullmatch=True)


class Node(Part):
    """A part inside itself."""

    name: Field[str] = field(default="")
    next: Maybe["Node"] = field(default=None)
    others: Field[list["Node"]] = field(default_factory=list)


class Tree(Entity, search=Search("root.name")):
    """An entity without an end."""

    id: Field[str]
    root: Field[Node]


@given(numbers, numbers)
def test_numbers_sort_as_text(one: Decimal, other: Decimal) -> None:
    assert (sortable(one) < sortable(other)) == (one < other)
    assert (sortable(one) == sortable(other)) == (one == other)


@given(numbers)
def test_a_number_comes_back(number: Decimal) -> None:
    assert number_of(sortable(number)) == number


def test_a_long_text_is_equal_to_itself_only() -> None:
    assert keyword("x" * 5_000) != keyword("x" * 5_001)
    assert keyword("x" * 4_000) == "x" * 4_000
    assert len(keyword("\U0001f600" * 50_000).encode()) < 32_766


@given(names, names)
def test_two_entities_never_share_an_index(one: str, other: str) -> None:
    assert (alias_of("shop", one) == alias_of("shop", other)) == (one == other)
    assert alias_of("shop", one) == alias_of("shop", one).lower()


def test_names_are_readable() -> None:
    assert alias_of("shop", "ProductCard") == "shop-.product.card"
    assert index_of("shop-posts", 12) == "shop-posts-12"
    assert generation_of("shop-posts", "shop-posts-12") == 12
    assert generation_of("shop-post", "shop-posts-12") is None


@pytest.mark.parametrize("namespace", ["", "Shop", "*", "a-b", "a,b", "_all", "a" * 41])
def test_a_wrong_namespace_is_refused(namespace: str) -> None:
    with pytest.raises(UsageError, match="name of an application"):
        alias_of(namespace, "Card")


def test_an_id_fits_and_is_nobody_elses() -> None:
    long = "k" * 600

    assert len(id_of(long)) < 100
    assert id_of("k") == "=k"
    assert id_of(id_of(long)) != id_of(long)


def test_the_mapping_is_strict_and_ends() -> None:
    mapping = mapping_of(declaration_of(Tree))

    assert mapping["dynamic"] == "strict"
    assert sorted(mapping["properties"]) == [
        "data", "free", "key", "live", "text.root.name", "there", "value.id",
        "value.root.name",
    ]  # fmt: skip


def test_no_question_uses_a_language() -> None:
    text = 'title:"x" OR NOT (a~2) /re/ *'
    ask = Ask(text, Card.brand == text, prefix=True, typos=True)

    body: Any = body_of(CARD, layout_of(CARD), ask)

    said = json.dumps(body)
    for word in ("query_string", "script", "regexp", "wildcard"):
        assert word not in said
