"""Layer 8, as far as it is records, queries, transactions and schema: must type-check."""

from __future__ import annotations

import sys
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Index as SqlIndex
from sqlalchemy import Numeric, String, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore import Cache, Entity, Field, Rightstore, Stores, Versioned, errors, now, track


class Base(DeclarativeBase): ...


class Transaction(Versioned, Base):
    __tablename__ = "transactions"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255))
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    transaction_type: Mapped[str] = mapped_column(String(50))
    created_at: Mapped[datetime] = mapped_column(default=now)


SqlIndex("idx_transactions_user_id", Transaction.user_id)
SqlIndex("idx_transactions_created_at", Transaction.created_at.desc())
transactions = track(Transaction)


class Document(Entity, name="documents", key="key", home="mongodb", cache=Cache(ttl=300, near=2)):
    key: Field[str]
    data: Field[dict[str, Any]]


class TransactionIn(BaseModel):
    user_id: str
    amount: Decimal
    transaction_type: str


class TransactionOut(BaseModel):
    id: int
    user_id: str
    amount: float
    transaction_type: str
    created_at: datetime


async def write_transaction(t: TransactionIn, stores: Stores) -> int:
    row = await stores.of(Transaction).put(Transaction(**t.model_dump()))
    return row.id


async def history(stores: Stores, user_id: str) -> list[TransactionOut]:
    async with stores.sql() as session:
        rows = await session.scalars(
            select(Transaction)
            .where(Transaction.user_id == user_id)
            .order_by(Transaction.created_at.desc())
        )
        return [TransactionOut.model_validate(r, from_attributes=True) for r in rows]


async def write_document(key: str, data: dict[str, Any], stores: Stores) -> None:
    await stores.of(Document).put(Document(key=key, data=data), expect="any")


async def read_document(key: str, stores: Stores) -> tuple[bytes, bool]:
    found = await stores.of(Document).read(key)
    if found is None:
        raise errors.NotFoundError("document")
    return found.json, found.cached


async def stats(stores: Stores) -> dict[str, int | None]:
    async with stores.sql() as session:
        total = await session.scalar(select(func.count()).select_from(Transaction))
    status = await stores.status()
    return {
        "postgres_pool_size": status.stores["postgres"].connections,
        "mongodb_connections": status.stores["mongodb"].connections,
        "total_transactions": total or 0,
        "total_documents": await stores.of(Document).find().count(),
    }


async def health(stores: Stores) -> dict[str, object]:
    names = {"postgres": "PostgreSQL", "mongodb": "MongoDB"}
    up = [names[k] for k, ok in (await stores.health()).items() if ok and k in names]
    return {"status": "healthy" if len(up) == 2 else "degraded", "databases": up}


layer8 = Rightstore("layer8", sys.modules[__name__])
