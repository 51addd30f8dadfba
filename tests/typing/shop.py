"""The shop's declarations and questions, as an application writes them: must type-check."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, assert_type

from rightstore.clock import now
from rightstore.model.condition import Condition
from rightstore.model.edit import Edit
from rightstore.model.entity import Entity, version_of
from rightstore.model.event import Event
from rightstore.model.field import Field, field
from rightstore.model.order import Order
from rightstore.model.part import Part
from rightstore.model.path import FieldPath
from rightstore.model.wish import Index, Search


class Variant(Part):
    sku: Field[str]
    price: Field[Decimal]
    attributes: Field[dict[str, str]] = field(default_factory=dict)


class Product(Entity, key="sku", home="mongodb", indexes=[Index("category", "-base_price")]):
    sku: Field[str]
    name: Field[str]
    brand: Field[str]
    category: Field[str]
    base_price: Field[Decimal]
    attributes: Field[dict[str, Any]] = field(default_factory=dict)
    variants: Field[list[Variant]] = field(default_factory=list)


class Stock(
    Entity,
    name="inventory",
    key="sku",
    home="dynamodb",
    group="inventory",
    layout={"dynamodb": "PRODUCT#{sku} INVENTORY"},
):
    sku: Field[str]
    quantity: Field[int]
    available: Field[int]
    reserved: Field[int] = field(default=0)


class Hold(
    Entity,
    key="id",
    home="dynamodb",
    group="inventory",
    indexes=[Index("state", "expires_at")],
):
    id: Field[str]
    items: Field[dict[str, int]]
    expires_at: Field[datetime]
    state: Field[Literal["held", "confirmed", "released"]] = field(default="held")


class ProductCard(
    Entity, key="sku", search=Search("name^3", "brand", facets=["brand", "category"])
):
    sku: Field[str]
    name: Field[str]
    brand: Field[str]
    category: Field[str]
    price: Field[Decimal]
    in_stock: Field[bool] = field(default=False)


class OrderPlaced(Event, name="order.placed", key="order_id", public=True):
    order_id: str
    user_id: str
    total: Decimal


def reserve(quantity: int) -> tuple[Edit, Edit, Condition]:
    return (
        Stock.available.add(-quantity),
        Stock.reserved.add(quantity),
        Stock.available >= quantity,
    )


def confirm() -> tuple[Edit, Condition]:
    return Hold.state.set("confirmed"), (Hold.state == "held") & (Hold.expires_at > now())


def card(product: Product) -> ProductCard:
    return ProductCard(
        sku=product.sku,
        name=product.name,
        brand=product.brand,
        category=product.category,
        price=product.base_price,
    )


def phones(under: Decimal) -> tuple[list[Condition], list[Order]]:
    return [
        Product.category == "smartphones",
        Product.base_price <= under,
        Product.attributes["connectivity"].has("5G"),
        Product.variants.any(Variant.price < 1000),
    ], [Product.base_price.desc(), Product.sku.asc()]


def search() -> tuple[Condition, list[FieldPath[str]], list[tuple[FieldPath[Decimal], int]]]:
    c = ProductCard
    where = (c.price >= 200) & (c.price <= 800) & (c.category == "electronics") & c.in_stock
    return where, [c.brand], [(c.price, 100)]


def hold(order_id: str, items: dict[str, int]) -> Hold:
    made = Hold(id=order_id, items=items, expires_at=now() + timedelta(minutes=15))
    assert_type(made.state, Literal["held", "confirmed", "released"])
    assert_type(version_of(made), int)
    return made
