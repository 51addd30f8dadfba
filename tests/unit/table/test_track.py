"""What `track` takes and refuses; no database is asked."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import BigInteger
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore.clock import now
from rightstore.errors import UsageError
from rightstore.model.wish import Personal, Retain
from rightstore.table.track import track
from rightstore.table.versioned import Versioned


class Base(DeclarativeBase):
    pass


class Order(Versioned, Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Bare(Base):
    __tablename__ = "bare"
    id: Mapped[str] = mapped_column(primary_key=True)


class Counted(Base):
    """Its version is raised by the ORM, so that raw SQL would not raise it."""

    __tablename__ = "counted"
    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as SQLAlchemy documents it


class Elsewhere(Versioned, Base):
    __tablename__ = "elsewhere"
    __table_args__ = {"schema": "other"}  # noqa: RUF012 - as SQLAlchemy documents it
    id: Mapped[str] = mapped_column(primary_key=True)


class Ours(Versioned, Base):
    __tablename__ = "rightstore_ours"
    id: Mapped[str] = mapped_column(primary_key=True)


class Child(Order):
    """A row of the table of its parent."""


def test_a_tracked_table_has_the_name_of_its_table() -> None:
    tracked = track(Order)

    assert (tracked.model, tracked.name, tracked.append_only) == (Order, "orders", False)
    assert [column.name for column in tracked.key] == ["id"]


def test_it_takes_a_name_and_its_wishes() -> None:
    retain = Retain("created_at", timedelta(days=1), where={"status": "done"})
    personal = Personal("id", ("status",))

    tracked = track(Order, name="sales", append_only=True, retain=retain, personal=personal)

    assert (tracked.name, tracked.append_only) == ("sales", True)
    assert (tracked.retain, tracked.personal) == (retain, personal)


def test_the_version_is_raised_by_the_database_and_checked_by_the_orm() -> None:
    mapper = track(Order).mapper

    assert mapper.version_id_col is Order.__table__.c.version
    assert mapper.version_id_generator is False


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Bare, r"class Bare\(Versioned, Base\)"),
        (Counted, r"class Counted\(Versioned, Base\)"),
        (Elsewhere, "schema="),
        (Ours, "rightstore_"),
        (Child, "inherits"),
    ],
)
def test_a_table_that_cannot_be_tracked_is_refused_with_a_remedy(
    model: type[DeclarativeBase], says: str
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        track(model)

    assert model.__name__ in str(caught.value)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(UsageError, match="model of SQLAlchemy"):
        track(str)  # type: ignore[type-var] # that is the point


@pytest.mark.parametrize(
    ("retain", "says"),
    [
        (Retain("nowhere"), "'nowhere'"),
        (Retain("status"), "dates or times"),
        (Retain("created_at", timedelta(days=-1)), "negative"),
        (Retain("created_at", where={"nowhere": 1}), "'nowhere'"),
        (Retain("created_at", where={"status": 1.5}), "float"),
    ],
)
def test_a_retention_that_cannot_be_meant_is_refused(retain: Retain, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        track(Order, retain=retain)


def test_personal_names_columns() -> None:
    with pytest.raises(UsageError, match="'nowhere'"):
        track(Order, personal=Personal("id", ("nowhere",)))


@pytest.mark.parametrize("name", ["rightstore_x", "a b", "", "x" * 64])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    if not name:
        assert track(Order, name=name).name == "orders"
        return

    with pytest.raises(UsageError, match="name"):
        track(Order, name=name)
