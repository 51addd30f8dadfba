# type: ignore
# ruff: noqa: B015, B018, F841, PGH003
"""Every line marked E must be refused by mypy and by pyright, both strict; no other line may be.

`make check` skips this file by its first line; the test beside it checks a copy without that line.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rightstore import (
    Cache,
    Entity,
    Field,
    Index,
    Maybe,
    Personal,
    Retain,
    Rightstore,
    Stores,
    Transaction,
    field,
    track,
    upgrade,
)
from rightstore.model.event import Event
from rightstore.types import Expr, Where
from tests.typing import shop
from tests.typing.blog import Delivery, Notification, PageView, PostPublished
from tests.typing.shop import (
    Draft,
    Hold,
    Order,
    OrderPlaced,
    Placed,
    Product,
    Stock,
    Variant,
    place,
)


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
track(Product)  # E
Rightstore("shop", "domain")  # E
Rightstore("shop", shop)


async def wrong_argument(draft: str, tx: Transaction) -> None: ...


async def use(stores: Stores, draft: Draft, tx: Transaction) -> None:
    x: int = await stores.run(place, draft)  # E
    x2: Placed = await stores.run(place, draft, once="key")
    await stores.run(wrong_argument, draft)  # E
    await stores.run(place, draft, once=3)  # E
    stores.of(Product).find("sku = 1")  # E
    await stores.of(Product).put(Stock(sku="a", quantity=1, available=1))  # E
    await stores.of(Product).put(draft)  # E
    y: Product = await stores.of(Product).get("a")  # E
    one: Product = await stores.of(Product).get_one("a")
    await stores.of(Product).get(1.5)  # E
    await stores.of(Product).put(one, expect="all")  # E
    await stores.of(Product).change("a", Product.sku == "b")  # E
    await stores.of(Product).change("a", Product.name.set("b"), or_create=draft)  # E
    stores.of(Order).find()  # E
    await stores.of(Order).get("a")
    rows = await stores.of(Product).find().select(Product.sku, Product.base_price.avg())
    z: str = rows[0][1]  # E
    z2: str = rows[0][0]
    stores.of(int)  # E
    stores.of(Product).find(Product.name == 3)  # E
    stores.of(Notification).find(Notification.channels.in_app.read == "yes")  # E
    stores.of(Product).find((Product.name == 3) & (Product.base_price < 3))  # E
    stores.of(Product).find().sort(Product.name)  # E
    await stores.of(Product).find().page("20")  # E
    await tx.of(Stock).put(one)  # E
    tx.of(Stock).find()  # E
    tx.emit()  # E
    stores.cache  # E
    stores.native(Product)  # E
