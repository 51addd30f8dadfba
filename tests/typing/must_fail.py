# type: ignore
# ruff: noqa: B015, B018, PGH003
"""Every line marked E must be refused by mypy and by pyright, both strict; no other line may be.

`make check` skips this file by its first line; the test beside it checks a copy without that line.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rightstore.model.condition import Condition, Expr
from rightstore.model.entity import Entity
from rightstore.model.event import Event
from rightstore.model.field import Field, Maybe, field
from rightstore.model.path import FieldPath
from rightstore.model.upgrade import upgrade
from rightstore.model.wish import Cache, Index, Personal, Retain
from tests.typing.blog import Delivery, Notification, PageView, PostPublished
from tests.typing.shop import Hold, OrderPlaced, Product, Stock, Variant

Where = Condition | FieldPath[bool]


def find(*where: Where) -> None: ...


def select(column: Expr[Decimal]) -> None: ...


Product.base_price <= "800"  # E
Product.nme == "x"  # E
Notification.channels.in_app.nowhere  # E
Product(sku="a")  # E
Product(sku=1, name="n", brand="b", category="c", base_price=Decimal(1))  # E
Stock.available.add("1")  # E
Stock.sku.add(1)  # E
Stock.sku.day()  # E


class Bad1(Entity, key="id", home="mysql"):  # E
    id: Field[str]


class Bad2(Entity, key="id", hoem="mongodb"):  # E
    id: Field[str]


class Bad3(Entity, rename="snake"):  # E
    id: Field[str]


class Bad4(Entity, cache=300):  # E
    id: Field[str]


class Bad5(Event, key="id"):  # E
    id: str


class Bad6(Entity):
    id: Field[str]
    geo: Maybe[str]  # E


class Frozen(Entity, key="id", frozen=True):
    id: Field[str]


Frozen(id="x").id = "y"  # E
OrderPlaced(order_id="a", user_id="b", total=Decimal(1)).total = Decimal(2)  # E
OrderPlaced(order_id="a", user_id="b")  # E
find(Product.name == 3)  # E
find(Notification.channels.in_app.read == "yes")  # E
find((Product.name == 3) & (Product.base_price < 3))  # E
find(Product.name)  # E
find("sku = 1")  # E
find(~Product.name)  # E
find((Product.name == "a") & Product.sku)  # E
find(Notification.channels.in_app.read)
find(Product.base_price.starts_with("a"))  # E
find(Stock.quantity.matches("a"))  # E
find(Product.variants.any("a"))  # E
find(Product.category.one_of([1]))  # E
find(Product.variants.any(Variant.price < 3))
Hold.state.set("gone")  # E
Product.name.set(None)  # E
Product.variants.push("x")  # E
PageView.geo.set("x")  # E
PageView.geo.country.set("x")
Stock.quantity.avg().sum()  # E
Product.name.avg()  # E
select(Stock.quantity.sum())  # E
select(Product.base_price.sum())
x: str = PageView.timestamp.day()  # E
y: datetime = Delivery(notification_id="a", user_id="b", type="c", channels=[]).processed_at  # E
Delivery(notification_id="a", user_id="b", type="c", channels=["fax"])  # E
Index(1)  # E
Cache()  # E
Retain("a", 3)  # E
Personal("a", ("b",), erase="wipe")  # E
field(stored_as=1)  # E
upgrade(PostPublished, to=2)  # E
