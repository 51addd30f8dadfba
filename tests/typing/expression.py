"""What each expression is to the checkers, to the letter: must type-check."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, assert_type

from rightstore import Condition, Entity, Field, FieldPath, Index, Maybe, Part, field
from rightstore.types import Edit, Expr, Order


class InApp(Part):
    enabled: Field[bool] = field(default=True)
    read: Field[bool] = field(default=False)
    read_at: Field[datetime | None] = field(default=None)


class Channels(Part):
    in_app: Field[InApp] = field(default_factory=InApp)


class Variant(Part):
    sku: Field[str]
    price: Field[Decimal]


class Geo(Part):
    country: Field[str]


class Product(Entity, key="sku", home="mongodb", indexes=[Index("category", "-base_price")]):
    sku: Field[str]
    name: Field[str]
    category: Field[str]
    base_price: Field[Decimal]
    sale: Field[Decimal | None] = field(default=None)
    rating: Field[float | None] = field(default=None)
    tags: Field[list[str]] = field(default_factory=list)
    sizes: Field[tuple[int, ...]] = field(default=())
    variants: Field[list[Variant]] = field(default_factory=list)
    channels: Field[Channels] = field(default_factory=Channels)
    geo: Maybe[Geo] = field(default=None)
    attributes: Field[dict[str, Any]] = field(default_factory=dict)
    made: Field[datetime | None] = field(default=None)
    sold: Field[int] = field(default=0)


def check() -> None:
    p = Product(sku="a", name="n", category="c", base_price=Decimal(3))
    assert_type(p.sku, str)
    assert_type(p.base_price, Decimal)
    assert_type(p.geo, Geo | None)
    assert_type(p.channels.in_app.read, bool)
    assert_type(Product.base_price, FieldPath[Decimal])
    assert_type(Product.base_price <= 800, Condition)
    assert_type(Product.sale <= 800, Condition)
    assert_type(Product.sale == None, Condition)  # noqa: E711 - it asks the store
    assert_type(Product.channels, type[Channels])
    assert_type(Product.channels.in_app.read, FieldPath[bool])
    assert_type(~Product.channels.in_app.read, Condition)
    assert_type(Product.channels.in_app.read & (Product.sold > 1), Condition)
    assert_type((Product.sold > 1) | Product.channels.in_app.read, Condition)
    assert_type(Product.geo.country == "x", Condition)
    assert_type(Product.attributes["network"].has("5G") & (Product.base_price <= 800), Condition)
    assert_type(Product.attributes["a"]["b"], FieldPath[Any])
    assert_type(Product.variants.any((Variant.price <= 800) & (Variant.sku == "x")), Condition)
    assert_type(Product.tags.has("x"), Condition)
    assert_type(Product.sizes.has(3), Condition)
    assert_type(Product.sku.one_of(["a", "b"]), Condition)
    assert_type(Product.sku.starts_with("a"), Condition)
    assert_type(Product.made.exists(), Condition)
    assert_type(Product.made.day(), Expr[date])
    assert_type(Product.made.hour(), Expr[datetime])
    assert_type(Product.made.month(), Expr[date])
    assert_type(Product.base_price.sum(), Expr[Decimal])
    assert_type(Product.base_price.avg(), Expr[Decimal])
    assert_type(Product.sale.avg(), Expr[Decimal | None])
    assert_type(Product.sold.avg(), Expr[float])
    assert_type(Product.rating.avg(), Expr[float | None])
    assert_type(Product.sold.max(), Expr[int])
    assert_type(Product.made.asc(), Order)
    assert_type(Product.channels.in_app.read.set(True), Edit)
    assert_type(Product.geo.set(Geo(country="x")), Edit)
    assert_type(Product.base_price.add(1), Edit)
    assert_type(Product.tags.push("x", keep=3), Edit)
    assert_type(Product.variants.push(Variant(sku="a", price=Decimal(1))), Edit)
    assert_type(replace(p, base_price=Decimal(4)), Product)
    p.base_price = Decimal(5)
