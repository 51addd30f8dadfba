"""What `select` can compute: buckets of time and aggregates over a group. It computes none."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar, overload

from rightstore.errors import InvalidQueryError
from rightstore.model.condition import Expr
from rightstore.model.kind import NUMERIC, ORDERED, Tag
from rightstore.model.place import Place

T = TypeVar("T")
V = TypeVar("V")
Unit = Literal["hour", "day", "month"]
Function = Literal["count", "sum", "avg", "min", "max"]


@dataclass(frozen=True, slots=True)
class Bucket(Expr[T], Generic[T]):
    """The hour (a datetime), day or first day of the month (dates) of a moment, in UTC.

    A record without the moment is in no bucket, hence in no row.
    """

    place: Place
    unit: Unit

    def __str__(self) -> str:
        return f"{self.place}.{self.unit}()"


@dataclass(frozen=True, slots=True)
class Aggregate(Expr[T], Generic[T]):
    """A function over the records of a group; records without the value do not count in it."""

    function: Function
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.place or ''}.{self.function}()".removeprefix(".")


def count() -> Expr[int]:
    """How many records there are in the group."""
    return Aggregate("count")


class Measure(Expr[T], Generic[T]):
    """The part of FieldPath that computes."""

    __slots__ = ()
    place: Place

    def day(self: "Measure[datetime] | Measure[datetime | None]") -> Expr[date]:
        """The day of the moment in UTC."""
        return Bucket(_moment(self), "day")

    def hour(self: "Measure[datetime] | Measure[datetime | None]") -> Expr[datetime]:
        """The beginning of the hour of the moment in UTC."""
        return Bucket(_moment(self), "hour")

    def month(self: "Measure[datetime] | Measure[datetime | None]") -> Expr[date]:
        """The first day of the month of the moment in UTC."""
        return Bucket(_moment(self), "month")

    def sum(self: "Measure[V]") -> Expr[V]:
        """The sum over the group; None when no record of it has a value."""
        return Aggregate("sum", self._with(NUMERIC, "cannot be added up"))

    @overload
    def avg(self: "Measure[Decimal]") -> Expr[Decimal]: ...
    @overload
    def avg(  # type: ignore[overload-overlap]  # only for a field of nothing but None
        self: "Measure[Decimal | None]",
    ) -> Expr[Decimal | None]: ...
    @overload
    def avg(self: "Measure[int] | Measure[float]") -> Expr[float]: ...
    @overload
    def avg(self: "Measure[int | None] | Measure[float | None]") -> Expr[float | None]: ...
    def avg(self) -> Expr[Any]:
        """The mean over the group, of a Decimal to 34 digits; None when no record has a value."""
        return Aggregate("avg", self._with(NUMERIC, "has no mean"))

    def min(self: "Measure[V]") -> Expr[V]:
        """The smallest value of the group; None when no record of it has one."""
        return Aggregate("min", self._with(ORDERED, "has no order"))

    def max(self: "Measure[V]") -> Expr[V]:
        """The greatest value of the group; None when no record of it has one."""
        return Aggregate("max", self._with(ORDERED, "has no order"))

    def _with(self, tags: frozenset[Tag], complaint: str) -> Place:
        if self.place.kind.tag not in tags:
            raise InvalidQueryError(
                f"{self.place}: {self.place.kind} {complaint}; take another field."
            )
        return self.place


def _moment(field: "Measure[datetime] | Measure[datetime | None]") -> Place:
    if field.place.kind.tag != "datetime":
        raise InvalidQueryError(f"{field.place} is no datetime: only moments fall into buckets.")
    return field.place
