"""Placement: the recorded store, the home, the fallback; groups stay together."""

import pytest

from rightstore.errors import NotConfiguredError, UsageError
from rightstore.model.declaration import STORES, Declaration, StoreName, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.ports.placement import Placement
from rightstore.stores.placement import place


class Product(Entity, key="sku", home="mongodb"):
    sku: Field[str]


class Stock(Entity, key="sku", home="dynamodb", group="inventory"):
    sku: Field[str]


class Hold(Entity, home="dynamodb", group="inventory"):
    id: Field[str]


class Stray(Entity, home="postgres", group="inventory"):
    id: Field[str]


def declared(*kinds: type[Entity]) -> list[Declaration]:
    return [declaration_of(kind) for kind in kinds]


def lives(entity: str, home: StoreName, store: StoreName) -> dict[str, Placement]:
    return {entity: Placement(entity, home, store)}


def stores(placed: dict[str, Placement]) -> dict[str, StoreName]:
    return {name: each.store for name, each in placed.items()}


def test_a_new_entity_starts_at_home() -> None:
    placed = place("shop", declared(Product, Stock), {}, STORES)

    assert stores(placed) == {"Product": "mongodb", "Stock": "dynamodb"}
    assert not placed["Product"].is_elsewhere


def test_without_its_home_it_starts_in_postgres_and_says_so() -> None:
    placed = place("shop", declared(Product, Stock), {}, ["postgres", "mongodb"])

    assert stores(placed) == {"Product": "mongodb", "Stock": "postgres"}
    assert placed["Stock"] == Placement("Stock", "dynamodb", "postgres")
    assert placed["Stock"].is_elsewhere


def test_a_recorded_placement_wins_over_home() -> None:
    placed = place("shop", declared(Product), lives("Product", "mongodb", "postgres"), STORES)

    assert stores(placed) == {"Product": "postgres"}


def test_a_home_that_is_configured_later_moves_nothing() -> None:
    placed = place("shop", declared(Stock, Hold), lives("Stock", "dynamodb", "postgres"), STORES)

    assert stores(placed) == {"Stock": "postgres", "Hold": "postgres"}


def test_an_entity_that_lives_where_no_url_leads_is_refused() -> None:
    with pytest.raises(NotConfiguredError, match=r"Product lives in mongodb, but MONGODB_URL"):
        place(
            "shop",
            declared(Product),
            lives("Product", "mongodb", "mongodb"),
            ["postgres"],
        )


def test_a_group_over_two_homes_is_refused_with_both() -> None:
    with pytest.raises(UsageError, match=r"Stock in dynamodb, Stray in postgres"):
        place("shop", declared(Stock, Stray), {}, STORES)
