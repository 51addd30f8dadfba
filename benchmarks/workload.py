"""The record that is measured, for us and as the plain dataclass that the raw driver decodes to."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rightstore.model.declaration import StoreName
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.model.field import field as declared
from rightstore.model.wish import Index

MOMENT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
OWNER = UUID("6a1f3d52-0f5e-4a44-9d4e-0d6f2f1c9a01")


@dataclass(slots=True)
class Plain:
    """What the raw driver's answer is decoded to."""

    id: str
    category: str
    name: str
    price: Decimal
    in_stock: int
    rating: float
    made_at: datetime
    owner: UUID
    is_live: bool = True
    tags: list[str] = field(default_factory=list)
    note: str | None = None


def entity(home: StoreName) -> type[Any]:
    """Return the entity of the same fields, at home in a store."""

    class Item(Entity, name="Item", home=home, indexes=[Index("category", "price")]):
        id: Field[str]
        category: Field[str]
        name: Field[str]
        price: Field[Decimal]
        in_stock: Field[int]
        rating: Field[float]
        made_at: Field[datetime]
        owner: Field[UUID]
        is_live: Field[bool] = declared(default=True)
        tags: Field[list[str]] = declared(default_factory=list)
        note: Field[str | None] = declared(default=None)

    return Item


def values(number: int, category: str) -> dict[str, Any]:
    """Return the fields of one record."""
    return {
        "id": f"{category}-{number:07}",
        "category": category,
        "name": f"A thing of medium length, number {number}",
        "price": Decimal(number) / 100 + Decimal("0.01"),
        "in_stock": number % 50,
        "rating": 4.25,
        "made_at": MOMENT,
        "owner": OWNER,
        "tags": ["new", "blue", "second-hand"],
        "note": None,
    }
