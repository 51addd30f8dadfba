"""The reference meaning of `select`: rows from records in stored form, projected or grouped.

Without an aggregate each record is a row. With one, the other expressions are the group keys; a
group exists only where it has a record, and rows come in the order of their keys, None first.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from rightstore.errors import InvalidQueryError
from rightstore.model.comparison import Comparison
from rightstore.model.condition import Expr
from rightstore.model.evaluate import Rank, value_at
from rightstore.model.measure import Aggregate, Bucket, Unit
from rightstore.model.member import rename_of
from rightstore.model.place import Place
from rightstore.model.revive import decoder
from rightstore.model.scalar import MAX_DIGITS

_MEAN = Context(prec=MAX_DIGITS, rounding=ROUND_HALF_EVEN)
Row = tuple[Any, ...]


def is_grouped(columns: Sequence[Expr[Any]]) -> bool:
    """Tell whether a selection has an aggregate."""
    return any(isinstance(column, Aggregate) for column in columns)


def rows_of(records: Iterable[Mapping[str, Any]], columns: Sequence[Expr[Any]]) -> list[Row]:
    """Return the rows that a selection makes of records, with values as a record has them."""
    buckets = [column for column in columns if isinstance(column, Bucket)]
    inside = [
        record
        for record in records
        if all(value_at(record, bucket.place) is not None for bucket in buckets)
    ]
    if is_grouped(columns):
        return _grouped(inside, columns)
    return [tuple(_value(record, column) for column in columns) for record in inside]


def _grouped(records: list[Mapping[str, Any]], columns: Sequence[Expr[Any]]) -> list[Row]:
    keys = [column for column in columns if not isinstance(column, Aggregate)]
    groups: list[tuple[tuple[Rank, ...], list[Mapping[str, Any]]]] = []
    # Sorted, not hashed: 1 and True are equal to a dict, but not to us.
    ranked = [(tuple(Rank(raw(record, key)) for key in keys), record) for record in records]
    for rank, record in sorted(ranked, key=lambda pair: pair[0]):
        if not groups or groups[-1][0] != rank:
            groups.append((rank, []))
        groups[-1][1].append(record)
    return [tuple(_cell(column, members) for column in columns) for _, members in groups]


def _cell(column: Expr[Any], members: list[Mapping[str, Any]]) -> Any:
    if not isinstance(column, Aggregate):
        return _value(members[0], column)
    if column.place is None:
        return len(members)
    place = column.place
    values = [value for member in members if (value := value_at(member, place)) is not None]
    return aggregated(column, values)


def aggregated(column: Aggregate[Any], values: Sequence[Any]) -> Any:
    """Return what an aggregate makes of the values of a group, as a record would have it."""
    place = column.place
    if not values or place is None:
        return None
    if column.function in {"min", "max"}:
        return value_of(place, (min if column.function == "min" else max)(values))
    return total(values) if column.function == "sum" else mean(total(values), len(values))


def total(values: Sequence[Any]) -> Any:
    """Return the sum of numbers of one type; of floats independent of their order."""
    if isinstance(values[0], float):
        return math.fsum(values)
    return sum(values[1:], values[0])


def mean(whole: Any, count: int) -> Any:
    """Return the mean from sum and count, of a Decimal to 34 digits; adapters divide so too."""
    return _MEAN.divide(whole, Decimal(count)) if isinstance(whole, Decimal) else whole / count


def raw(record: Mapping[str, Any], column: Expr[Any]) -> Any:
    """Return the value of a column of one record in stored form."""
    if isinstance(column, Bucket):
        return floor(value_at(record, column.place), column.unit)
    if isinstance(column, Comparison):
        return value_at(record, column.place)
    raise InvalidQueryError(f"{column} cannot be selected: pass fields, buckets or aggregates.")


def floor(moment: datetime, unit: Unit) -> date | datetime:
    """Return the bucket that a moment falls into, in UTC."""
    if unit == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.astimezone(UTC).date()
    return day if unit == "day" else day.replace(day=1)


def _value(record: Mapping[str, Any], column: Expr[Any]) -> Any:
    value = raw(record, column)
    return value_of(column.place, value) if isinstance(column, Comparison) else value


def value_of(place: Place, value: Any) -> Any:
    """Return a value of a column as a record has it: an Enum, a Part, …; adapters use it too."""
    return None if value is None else decoder(place.kind, rename_of(place.owner))(value)
