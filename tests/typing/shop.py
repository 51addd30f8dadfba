"""Shop, as far as it is records, queries, transactions and schema: must type-check."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, assert_type

from pydantic import BaseModel
from sqlalchemy import ForeignKey, Numeric, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore import (
    Condition,
    Entity,
    Field,
    FieldPath,
    Index,
    Page,
    Part,
    Rightstore,
    Search,
    Stores,
    Transaction,
    Versioned,
    errors,
    field,
    new_id,
    now,
    track,
    version_of,
)
from rightstore.model.event import Event
from rightstore.types import Records


class Base(DeclarativeBase): ...


class Order(Versioned, Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    total_amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    status: Mapped[str] = mapped_column(default="pending")


class Payment(Versioned, Base):
    __tablename__ = "payment_transactions"
    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    currency: Mapped[str]
    status: Mapped[str]


class PaymentAudit(Versioned, Base):
    __tablename__ = "payment_audit_log"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment_transactions.id"))
    old_status: Mapped[str | None]
    new_status: Mapped[str]
    reason: Mapped[str]


orders = track(Order)
payments = track(Payment)
audit = track(PaymentAudit, append_only=True)


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


class Draft(BaseModel):
    user_id: str
    currency: str = "EUR"
    lines: list[tuple[str, int, Decimal]]
    order_id: str = ""

    @property
    def total(self) -> Decimal:
        return sum((quantity * price for _, quantity, price in self.lines), Decimal(0))

    @property
    def items(self) -> dict[str, int]:
        """How many of each, in one order for everybody."""
        wanted = Counter[str]()
        for sku, quantity, _ in self.lines:
            wanted[sku] += quantity
        return dict(sorted(wanted.items()))


async def begin(draft: Draft, tx: Transaction) -> None:
    (await tx.of(Order).get_one(draft.order_id)).status = "placing"


async def reserve(draft: Draft, tx: Transaction) -> None:
    for sku, quantity in draft.items.items():
        await tx.of(Stock).change(
            sku,
            Stock.available.add(-quantity),
            Stock.reserved.add(quantity),
            when=Stock.available >= quantity,
        )
    expires_at = now() + timedelta(minutes=15)
    await tx.of(Hold).put(Hold(id=draft.order_id, items=draft.items, expires_at=expires_at))


async def give_back(hold_id: str, tx: Transaction) -> None:
    hold = await tx.of(Hold).get_one(hold_id)
    if hold.state == "held":
        await tx.of(Hold).change(hold_id, Hold.state.set("released"), when=Hold.state == "held")
        for sku, quantity in hold.items.items():
            edits = Stock.available.add(quantity), Stock.reserved.add(-quantity)
            await tx.of(Stock).change(sku, *edits)


async def confirm(draft: Draft, tx: Transaction) -> None:
    still = (Hold.state == "held") & (Hold.expires_at > now())
    await tx.of(Hold).change(draft.order_id, Hold.state.set("confirmed"), when=still)
    for sku, quantity in draft.items.items():
        edits = Stock.reserved.add(-quantity), Stock.quantity.add(-quantity)
        await tx.of(Stock).change(sku, *edits)


async def finish(draft: Draft, tx: Transaction) -> None:
    order = await tx.of(Order).get_one(draft.order_id)
    order.status = "confirmed"
    payment = Payment(
        id=new_id(),
        order_id=order.id,
        amount=order.total_amount,
        currency=draft.currency,
        status="captured",
    )
    tx.sql.add(payment)
    await tx.sql.flush()
    tx.sql.add(PaymentAudit(payment_id=payment.id, new_status="captured", reason="order"))


async def expire_holds(stores: Stores) -> None:
    late = stores.of(Hold).find(Hold.state == "held", Hold.expires_at < now()).limit(500)
    async for hold in late:
        with suppress(errors.ConditionError):
            await stores.run(give_back, hold.id)


class Placed(BaseModel):
    order_id: str
    status: str


async def place(draft: Draft, tx: Transaction) -> Placed:
    order = Order(id=new_id(), user_id=draft.user_id, total_amount=draft.total)
    tx.sql.add(order)
    return Placed(order_id=order.id, status="pending")


async def post_order(draft: Draft, stores: Stores, key: str | None = None) -> Placed:
    return await stores.run(place, draft, once=key)


async def phones(stores: Stores, under: Decimal, after: str | None = None) -> Page[Product]:
    return await (
        stores.of(Product)
        .find(
            Product.category == "smartphones",
            Product.base_price <= under,
            Product.attributes["connectivity"].has("5G"),
            Product.variants.any(Variant.price < 1000),
        )
        .sort(Product.base_price.desc(), Product.sku.asc())
        .page(20, after=after)
    )


async def revenue(stores: Stores) -> list[tuple[str, Decimal]]:
    async with stores.sql() as session:
        rows = await session.execute(
            select(Order.user_id, func.sum(Payment.amount))
            .join(Payment, Payment.order_id == Order.id)
            .group_by(Order.user_id)
        )
        return [(user, total) for user, total in rows.all()]


def card(product: Product) -> ProductCard:
    return ProductCard(
        sku=product.sku,
        name=product.name,
        brand=product.brand,
        category=product.category,
        price=product.base_price,
    )


def search() -> tuple[Condition, list[FieldPath[str]], list[tuple[FieldPath[Decimal], int]]]:
    c = ProductCard
    where = (c.price >= 200) & (c.price <= 800) & (c.category == "electronics") & c.in_stock
    return where, [c.brand], [(c.price, 100)]


async def checked(stores: Stores, tx: Transaction) -> None:
    hold = await stores.of(Hold).get_one("a")
    assert_type(hold.state, Literal["held", "confirmed", "released"])
    assert_type(version_of(hold), int)
    assert_type(await stores.of(Order).get("a"), Order | None)
    assert_type(stores.of(Order), Records[Order])
    assert_type(tx.of(Hold), Records[Hold])
    read = await stores.of(Product).read("a")
    assert read is not None
    assert_type(read.value, Product)
    assert_type(await stores.of(Product).get_many(["a", "b"]), list[Product | None])
    assert_type(await stores.of(Product).find().first(), Product | None)
    counted = await stores.of(Product).find().select(Product.brand, Product.base_price.avg())
    assert_type(counted, list[tuple[str, Decimal]])


shop = Rightstore("shop", sys.modules[__name__])
