"""Every kind of column and index that a model may have: once made, a plan finds nothing to do."""

import enum
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy import (
    JSON,
    UUID,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Sequence,
    SmallInteger,
    String,
    Table,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB, TSVECTOR

from rightstore.adapters.postgres.client import connect
from rightstore.adapters.postgres.migration import PostgresTables
from rightstore.clock import SYSTEM
from rightstore.patterns.schema.apply import Permission, Progress, apply
from rightstore.ports.connection import Target


class Kind(enum.Enum):
    BOOK = "book"
    FILM = "film"


@pytest.fixture
def store() -> str:
    """Tables live in PostgreSQL."""
    return "postgres"


@pytest.fixture
async def target(store_urls: Mapping[str, str], namespace: str) -> AsyncIterator[Target]:
    yield Target("postgres", store_urls["postgres"])
    session = await asyncpg.connect(store_urls["postgres"])
    await session.execute(f"DROP SCHEMA IF EXISTS {namespace} CASCADE")
    await session.close()


def wide(word: Any = "it's") -> MetaData:
    metadata = MetaData(
        naming_convention={"ix": "ix_%(column_0_label)s", "pk": "pk_%(table_name)s"}
    )
    Table(
        "wide",
        metadata,
        Column("id", UUID, primary_key=True, server_default=func.gen_random_uuid()),
        Column("at", DateTime(timezone=True), server_default=func.now()),
        Column("naive", DateTime, server_default=text("CURRENT_TIMESTAMP")),
        Column("flag", Integer, server_default=text("1")),
        Column("word", String(20), server_default=word),
        Column("amount", Numeric(10, 2), server_default=text("0.00")),
        Column("number", BigInteger, Identity(), unique=True),
        Column("small", SmallInteger, server_default="7", index=True),
        Column("doc", JSONB, server_default=text("'{}'::jsonb")),
        Column("text", JSON),
        Column("tags", ARRAY(String), server_default=text("'{}'")),
        Column("ip", INET),
        Column("kind", Enum(Kind, name="kind"), server_default="BOOK"),
        Column("sort", Enum("x", "y", native_enum=False, length=10)),
        Column("double", Integer, Computed("small * 2", persisted=True)),
        Column("blob", LargeBinary, comment="100 %"),
        Column("lasts", Interval),
        Column("words", TSVECTOR),
        Column("parent", ForeignKey("wide.id", deferrable=True, initially="DEFERRED")),
        CheckConstraint("small > 0", name="positive"),
        Index("wide_partial", "word", unique=True, postgresql_where=text("flag = 1")),
        Index("wide_gin", "tags", postgresql_using="gin"),
        Index("wide_descending", text("at DESC")),
        Index("wide_included", "naive", postgresql_include=["word"]),
        Index("wide_lower", func.lower(text("word"))),
        comment="a table",
    )
    Table(
        "Odd-Name",
        metadata,
        Column("a b", Integer, primary_key=True),
        Column("select", String, unique=True),
        Column("wide", ForeignKey("wide.id"), index=True),
    )
    return metadata


async def plan_and_apply(target: Target, namespace: str, models: MetaData) -> list[str]:
    """Bring the tables to what is declared; return what was planned."""
    tables = PostgresTables(connect(target, SYSTEM), namespace, SYSTEM, models=[models])
    applied = await apply([tables], Permission(), report=silent)
    assert applied.error is None
    return [f"{step.subject}: {step.action}" for step in applied.done]


def silent(_: Progress) -> None: ...


async def test_a_table_of_all_kinds_is_made_once(target: Target, namespace: str) -> None:
    made = await plan_and_apply(target, namespace, wide())
    again = await plan_and_apply(target, namespace, wide())

    assert "table Odd-Name: create the table" in made
    assert again == []


async def test_what_models_name_beside_tables_is_made_at_once_too(
    target: Target, namespace: str
) -> None:
    models = MetaData()
    number = Sequence("numbers", start=100, metadata=models)
    Table(
        "numbered",
        models,
        Column("id", Integer, server_default=number.next_value(), primary_key=True),
        Column("best", ForeignKey("others.id", name="best_is_there", use_alter=True)),
    )
    Table(
        "others",
        models,
        Column("id", Integer, primary_key=True),
        Column("numbered", ForeignKey("numbered.id")),
    )

    made = await plan_and_apply(target, namespace, models)
    again = await plan_and_apply(target, namespace, models)

    assert "sequence numbers: create it" in made
    assert "table numbered: make best refer to others(id)" in made
    assert again == []


@pytest.mark.parametrize("other", ["its", "it''s", "'it's'", "a:b", None])
async def test_another_default_is_seen_and_made(
    other: str | None, target: Target, namespace: str
) -> None:
    await plan_and_apply(target, namespace, wide())

    changed = await plan_and_apply(target, namespace, wide(other))
    again = await plan_and_apply(target, namespace, wide(other))

    assert changed == ["table wide: column word: change its default"]
    assert again == []
