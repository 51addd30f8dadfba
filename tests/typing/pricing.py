"""Pricing, as far as it is records, queries, transactions and schema: must type-check."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import JSON, CheckConstraint, ForeignKey, Numeric, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from rightstore import (
    Entity,
    Field,
    Index,
    Maybe,
    Part,
    Rightstore,
    Stores,
    Transaction,
    Versioned,
    count,
    field,
    new_id,
    now,
    track,
    upgrade,
)


class Base(DeclarativeBase): ...


class CalculationRow(Versioned, Base):
    __tablename__ = "pricing_calculations"
    __table_args__ = (CheckConstraint("quantity > 0"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(index=True)
    material: Mapped[str]
    quantity: Mapped[int]
    dimensions: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)
    components: Mapped[list[ComponentRow]] = relationship(cascade="all, delete-orphan")


class ComponentRow(Versioned, Base):
    __tablename__ = "cost_components"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    calculation_id: Mapped[str] = mapped_column(
        ForeignKey("pricing_calculations.id", ondelete="CASCADE")
    )
    component_type: Mapped[str]
    total_cost: Mapped[Decimal] = mapped_column(Numeric(12, 4))


calculations = track(CalculationRow)
components = track(ComponentRow)


class Calculation(BaseModel):
    id: str
    customer_id: str
    material: str
    quantity: int
    dimensions: dict[str, float]
    costs: dict[str, Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.costs.values(), Decimal(0))


class PricingRepository(Protocol):
    async def save(self, calculation: Calculation) -> None: ...
    async def of_customer(self, customer_id: str, limit: int = 50) -> list[Calculation]: ...


class PostgresPricing:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def save(self, calculation: Calculation) -> None:
        c = calculation
        parts = [ComponentRow(component_type=k, total_cost=v) for k, v in c.costs.items()]
        self._tx.sql.add(
            CalculationRow(
                id=c.id,
                customer_id=c.customer_id,
                material=c.material,
                quantity=c.quantity,
                dimensions=c.dimensions,
                components=parts,
            )
        )

    async def of_customer(self, customer_id: str, limit: int = 50) -> list[Calculation]:
        rows = await self._tx.sql.scalars(
            select(CalculationRow)
            .where(CalculationRow.customer_id == customer_id)
            .order_by(CalculationRow.created_at.desc())
            .limit(limit)
            .options(selectinload(CalculationRow.components))
        )
        return [
            Calculation(
                id=r.id,
                customer_id=r.customer_id,
                material=r.material,
                quantity=r.quantity,
                dimensions=r.dimensions,
                costs={p.component_type: p.total_cost for p in r.components},
            )
            for r in rows
        ]


async def calculate(calculation: Calculation, tx: Transaction) -> Calculation:
    repository: PricingRepository = PostgresPricing(tx)
    await repository.save(calculation)
    return calculation


async def post_calculation(c: Calculation, stores: Stores, key: str | None) -> Calculation:
    return await stores.run(calculate, c, once=key)


async def recent(stores: Stores, customer_id: str) -> list[Calculation]:
    async with stores.transaction() as tx:
        return await PostgresPricing(tx).of_customer(customer_id, 10)


class PricingData(Part):
    material: Field[str]
    quantity: Field[int]
    total_price: Field[Decimal]


class Performance(Part):
    calculation_time_ms: Field[int] = field(default=0)
    cache_hit_rate: Field[float] = field(default=0.0)


class PricingAnalytics(
    Entity,
    name="pricing_analytics",
    key="calculation_id",
    home="mongodb",
    schema=2,
    indexes=[
        Index("customer_id", "-timestamp"),
        Index("pricing_data.material"),
        Index("-timestamp"),
    ],
):
    calculation_id: Field[str]
    customer_id: Field[str]
    pricing_data: Field[PricingData]
    performance_metrics: Field[Performance] = field(default_factory=Performance)
    correlation: Field[UUID | None] = field(default=None)
    previous: Maybe[PricingData] = field(default=None)
    source: Field[Literal["web", "api"]] = field(default="web")
    timestamp: Field[datetime] = field(default_factory=now)


@upgrade(PricingAnalytics, to=2)
def add_metrics(old: dict[str, Any]) -> dict[str, Any]:
    return {"performance_metrics": {"calculation_time_ms": 0, "cache_hit_rate": 0.0}, **old}


async def trends(
    stores: Stores, material: str, days: int = 30
) -> Sequence[tuple[date, Decimal, int]]:
    a = PricingAnalytics
    found = stores.of(a).find(
        a.pricing_data.material == material,
        a.timestamp >= now() - timedelta(days=days),
        a.previous.total_price > 3,
    )
    return await found.select(a.timestamp.day(), a.pricing_data.total_price.avg(), count())


async def health(stores: Stores) -> dict[str, bool]:
    return dict(await stores.health())


pricing = Rightstore("pricing", sys.modules[__name__])
