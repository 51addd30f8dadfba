"""The port `row` on PostgreSQL: rows by key, each with its own outcome, many in one commit.

It cannot catch what a COMMIT without an answer means (tests/faults/test_group_commit).
"""

import asyncio
import enum
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Numeric,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.relational import PostgresRelational
from rightstore.adapters.postgres.trigger import PostgresTriggers
from rightstore.clock import SYSTEM
from rightstore.errors import (
    AlreadyExistsError,
    ConstraintError,
    UsageError,
    VersionConflictError,
)
from rightstore.ports.connection import Target
from rightstore.table.track import TrackedTable, track
from rightstore.table.versioned import Versioned

CANARY = "canary-7f3a"


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own
        datetime: DateTime(timezone=True)
    }


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Payment(Versioned, Base):
    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0", name="positive"),
        UniqueConstraint("reference", name="one_reference"),
    )
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    reference: Mapped[str | None]
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    status: Mapped[str] = mapped_column(default="new")
    currency: Mapped[str] = mapped_column(server_default="EUR")
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Seat(Versioned, Base):
    __tablename__ = "seats"
    row: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    guest: Mapped[str | None]
    changed: Mapped[int] = mapped_column(default=0, onupdate=lambda: 1)


class Everything(Versioned, Base):
    __tablename__ = "everything"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    json: Mapped[Any] = mapped_column(JSON)
    jsonb: Mapped[Any] = mapped_column("json b", JSONB)
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    grid: Mapped[list[list[int]]] = mapped_column(ARRAY(Numeric, dimensions=2))
    colour: Mapped[Colour]
    day: Mapped[date]
    span: Mapped[timedelta]
    half: Mapped[float]
    raw: Mapped[bytes]
    yes: Mapped[bool]


class Note(Versioned, Base):
    __tablename__ = "notes"
    id: Mapped[str] = mapped_column(primary_key=True)
    payment: Mapped[int] = mapped_column(ForeignKey("payments.id", name="note_has_payment"))


payments = track(Payment)
seats = track(Seat)
everything = track(Everything)
notes = track(Note, append_only=True)


@pytest.fixture
def store() -> str:
    """Only PostgreSQL has tables."""
    return "postgres"


@pytest.fixture
async def direct(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the truth, and the tables with their triggers."""
    settings = {"search_path": f'"{namespace}"'}
    connection = await asyncpg.connect(store_urls["postgres"], server_settings=settings)
    await connection.execute(f'CREATE SCHEMA "{namespace}"')

    async def again() -> asyncpg.Connection:
        return await asyncpg.connect(store_urls["postgres"], server_settings=settings)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=again)
    async with engine.begin() as made:
        await made.run_sync(Base.metadata.create_all)
    await engine.dispose()
    target = Target("postgres", store_urls["postgres"])
    tables: list[TrackedTable[Any]] = [payments, seats, everything, notes]
    triggers = PostgresTriggers(postgres(target, SYSTEM), namespace, SYSTEM, tables=tables)
    for step in await triggers.plan():
        await triggers.apply(step)
    yield connection
    await connection.execute(f'DROP SCHEMA "{namespace}" CASCADE')
    await connection.close()


@pytest.fixture
async def room(
    direct: asyncpg.Connection, store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[PostgresRelational]:
    assert not direct.is_closed()
    connection = postgres(Target("postgres", store_urls["postgres"]), SYSTEM)
    made = PostgresRelational(connection, namespace, SYSTEM)
    yield made
    await made.close()


async def commits(direct: asyncpg.Connection) -> int:
    """Count the transactions that wrote: each takes one id."""
    xid: int = await direct.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    return xid


async def test_a_new_row_comes_back_with_all_that_the_database_gave(
    room: PostgresRelational, direct: asyncpg.Connection
) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)  # noqa: TID251 - the server's clock

    row = await room.rows(payments).put(Payment(amount=Decimal("10.50")))

    assert (row.id, row.version, row.status, row.currency) == (1, 1, "new", "EUR")
    assert row.at > before
    assert row.amount == Decimal("10.50")
    assert row.reference is None
    assert await direct.fetchval("SELECT amount FROM payments WHERE id = 1") == Decimal("10.50")


async def test_a_row_is_read_as_it_was_put(room: PostgresRelational) -> None:
    row = await room.rows(payments).put(Payment(amount=Decimal(1), reference="a"))

    found = await room.rows(payments).get(row.id)

    assert found is not None
    assert found is not row
    assert (found.id, found.amount, found.reference, found.version) == (1, Decimal(1), "a", 1)
    assert found.at == row.at


async def test_what_is_not_there_is_none(room: PostgresRelational) -> None:
    row = await room.rows(payments).put(Payment(amount=Decimal(1)))

    found = await room.rows(payments).get_many([7, row.id, 8, row.id])

    assert [None if one is None else one.id for one in found] == [None, row.id, None, row.id]


async def test_every_kind_of_column_keeps_its_value(room: PostgresRelational) -> None:
    made = {
        "id": UUID(int=7),
        "json": {"b": [1, 2.5, None], "a": "x"},
        "jsonb": ["y", {"z": True}],
        "tags": ["a", "b"],
        "grid": [[Decimal(1), Decimal(2)], [Decimal(3), Decimal(4)]],
        "colour": Colour.BLUE,
        "day": date(2026, 2, 28),
        "span": timedelta(days=2, seconds=3),
        "half": 0.5,
        "raw": b"\x00\xff",
        "yes": True,
    }
    await room.rows(everything).put(Everything(**made))

    found = await room.rows(everything).get(UUID(int=7))

    assert found is not None
    assert {name: getattr(found, name) for name in made} == made


async def test_a_put_makes_the_next_version_and_keeps_what_was_not_set(
    room: PostgresRelational,
) -> None:
    row = await room.rows(payments).put(Payment(amount=Decimal(1), reference="a"))

    row.status = "paid"
    await room.rows(payments).put(row)
    await room.rows(payments).put(Payment(id=row.id, amount=Decimal(2), version=2))
    found = await room.rows(payments).get(row.id)

    assert row.version == 2
    assert found is not None
    assert (found.version, found.status, found.amount, found.reference) == (
        3,
        "paid",
        Decimal(2),
        "a",
    )


async def test_a_stale_version_is_refused_and_changes_nothing(room: PostgresRelational) -> None:
    row = await room.rows(payments).put(Payment(amount=Decimal(1)))
    stale = await room.rows(payments).get(row.id)
    assert stale is not None
    row.status = "paid"
    await room.rows(payments).put(row)

    stale.status = "lost"
    with pytest.raises(VersionConflictError):
        await room.rows(payments).put(stale)

    found = await room.rows(payments).get(row.id)
    assert found is not None
    assert (found.status, found.version) == ("paid", 2)
    assert stale.version == 1


async def test_a_new_row_whose_key_is_taken_is_refused(room: PostgresRelational) -> None:
    await room.rows(seats).put(Seat(row=1, place="a", guest="x"))

    with pytest.raises(AlreadyExistsError):
        await room.rows(seats).put(Seat(row=1, place="a", guest="y"))

    found = await room.rows(seats).get((1, "a"))
    assert found is not None
    assert found.guest == "x"


async def test_expect_any_writes_whatever_there_is(room: PostgresRelational) -> None:
    first = await room.rows(seats).put(Seat(row=1, place="a", guest="x"), expect="any")
    second = await room.rows(seats).put(Seat(row=1, place="a", guest="y"), expect="any")

    assert (first.version, second.version, second.guest) == (1, 2, "y")


async def test_expect_says_the_version_whatever_the_row_carries(room: PostgresRelational) -> None:
    row = await room.rows(seats).put(Seat(row=1, place="a"))

    with pytest.raises(VersionConflictError):
        await room.rows(seats).put(row, expect=7)
    with pytest.raises(AlreadyExistsError):
        await room.rows(seats).put(row, expect=0)


async def test_onupdate_is_kept(room: PostgresRelational) -> None:
    row = await room.rows(seats).put(Seat(row=1, place="a"))
    assert row.changed == 0

    row.guest = "x"
    await room.rows(seats).put(row)

    assert row.changed == 1


async def test_a_row_is_deleted_once(room: PostgresRelational) -> None:
    row = await room.rows(seats).put(Seat(row=1, place="a"))

    with pytest.raises(VersionConflictError):
        await room.rows(seats).delete((1, "a"), expect=2)
    first = await room.rows(seats).delete((1, "a"), expect=row.version)
    second = await room.rows(seats).delete((1, "a"))

    assert (first, second) == (True, False)
    with pytest.raises(VersionConflictError):
        await room.rows(seats).delete((1, "a"), expect=1)


async def test_an_append_only_table_takes_new_rows_only(room: PostgresRelational) -> None:
    payment = await room.rows(payments).put(Payment(amount=Decimal(1)))
    note = await room.rows(notes).put(Note(id="a", payment=payment.id))

    with pytest.raises(UsageError, match="append_only"):
        await room.rows(notes).put(note)
    with pytest.raises(UsageError, match="append_only"):
        await room.rows(notes).put(Note(id="a", payment=payment.id), expect="any")
    with pytest.raises(UsageError, match="append_only"):
        await room.rows(notes).delete("a")


@pytest.mark.parametrize("key", [(1,), (1, "a", 2), 1, None, (1, None)])
async def test_a_key_of_another_shape_is_refused(room: PostgresRelational, key: object) -> None:
    with pytest.raises(UsageError, match="row, place"):
        await room.rows(seats).get(key)


async def test_a_value_that_does_not_fit_is_refused_without_being_told(
    room: PostgresRelational,
) -> None:
    with pytest.raises(ConstraintError) as caught:
        await room.rows(payments).get(CANARY)

    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_row_of_a_session_is_left_to_it(
    room: PostgresRelational, store_urls: Mapping[str, str], namespace: str
) -> None:
    relational = PostgresRelational(
        postgres(Target("postgres", store_urls["postgres"]), SYSTEM), namespace, SYSTEM
    )
    async with relational.transaction() as unit:
        seat = Seat(row=1, place="a")
        unit.session.add(seat)
        with pytest.raises(UsageError, match="session"):
            await room.rows(seats).put(seat)
    await relational.close()


async def test_puts_that_wait_at_the_same_time_share_a_commit(
    room: PostgresRelational, direct: asyncpg.Connection
) -> None:
    await room.rows(payments).put(Payment(amount=Decimal(1)))
    before = await commits(direct)

    rows = await asyncio.gather(
        *(room.rows(payments).put(Payment(amount=Decimal(n))) for n in range(1, 101))
    )

    assert await commits(direct) - before < 10
    assert [row.amount for row in rows] == [Decimal(n) for n in range(1, 101)]
    ids = [row.id for row in rows]
    assert len(set(ids)) == 100
    stored = {row["id"]: row["amount"] for row in await direct.fetch("SELECT * FROM payments")}
    assert [stored[row.id] for row in rows] == [row.amount for row in rows]


async def test_of_a_batch_only_what_is_to_blame_is_refused(
    room: PostgresRelational, direct: asyncpg.Connection
) -> None:
    made = [
        Payment(amount=Decimal(0 if n % 10 == 0 else 1), reference=f"r{min(n, 55)}")
        for n in range(60)
    ]

    ends = await asyncio.gather(
        *(room.rows(payments).put(row) for row in made), return_exceptions=True
    )

    kinds = [type(end).__name__ for end in ends]
    assert kinds[:50:10] == ["ConstraintError"] * 5
    # Of the five with one reference exactly one is in.
    assert sorted(kinds[55:]) == ["ConstraintError"] * 4 + ["Payment"]
    assert kinds.count("Payment") == 50
    assert "positive" in str(ends[0])
    stored = await direct.fetch("SELECT reference FROM payments ORDER BY 1")
    assert len(stored) == len({row["reference"] for row in stored}) == 50


async def test_values_that_do_not_fit_fail_alone_too(room: PostgresRelational) -> None:
    amounts: list[Any] = [Decimal(1), "no number", Decimal(2), Decimal(10) ** 30]

    ends = await asyncio.gather(
        *(room.rows(payments).put(Payment(amount=amount)) for amount in amounts),
        return_exceptions=True,
    )
    reads = await asyncio.gather(
        *(room.rows(payments).get(key) for key in (1, CANARY, 2)), return_exceptions=True
    )

    assert [isinstance(end, Payment) for end in ends] == [True, False, True, False]
    assert all(isinstance(end, ConstraintError) for end in ends[1::2])
    assert isinstance(reads[1], ConstraintError)
    assert not isinstance(reads[0], BaseException)
    assert not isinstance(reads[2], BaseException)


async def test_writers_of_one_row_lose_no_update(room: PostgresRelational) -> None:
    await room.rows(seats).put(Seat(row=1, place="a", guest="0"))

    async def count() -> int:
        tries = 0
        while True:
            tries += 1
            seat = await room.rows(seats).get((1, "a"))
            assert seat is not None
            seat.guest = str(int(seat.guest or "0") + 1)
            try:
                await room.rows(seats).put(seat)
            except VersionConflictError:
                continue
            return tries

    tries = await asyncio.gather(*(count() for _ in range(12)))

    found = await room.rows(seats).get((1, "a"))
    assert found is not None
    assert (found.guest, found.version) == ("12", 13)
    assert sum(tries) >= 12


async def test_a_caller_that_is_cancelled_disturbs_no_other(
    room: PostgresRelational, direct: asyncpg.Connection
) -> None:
    await room.rows(payments).put(Payment(amount=Decimal(1)))
    tasks = [
        asyncio.create_task(room.rows(payments).put(Payment(amount=Decimal(1), reference=f"r{n}")))
        for n in range(40)
    ]
    await SYSTEM.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)

    assert all(isinstance(end, asyncio.CancelledError) for end in ends[::2])
    assert all(isinstance(end, Payment) for end in ends[1::2])
    references = {
        row["reference"]
        for row in await direct.fetch("SELECT reference FROM payments WHERE reference IS NOT NULL")
    }
    assert {f"r{n}" for n in range(1, 40, 2)} <= references


async def test_a_connection_that_the_server_closed_is_replaced(
    room: PostgresRelational, direct: asyncpg.Connection
) -> None:
    row = await room.rows(payments).put(Payment(amount=Decimal(1)))
    await room.rows(payments).get(row.id)
    await direct.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'rightstore' AND pid <> pg_backend_pid()"
        " AND query ~ 'COMMIT|payments'"
    )

    again = await room.rows(payments).put(Payment(amount=Decimal(2)))

    assert await room.rows(payments).get(again.id) is not None
