"""Aggregates as stages of a pipeline, and rows from what they give; it means `model.group`.

Ints are summed as Decimal128, exact far beyond 64 bits; what is left to divide is divided here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rightstore.adapters.mongodb.document import ID, Document, Layout
from rightstore.adapters.mongodb.expression import Expression, Scope, value_at
from rightstore.model.comparison import Comparison
from rightstore.model.condition import Expr
from rightstore.model.evaluate import Rank
from rightstore.model.group import Row, mean, value_of
from rightstore.model.measure import Aggregate, Bucket
from rightstore.model.place import Place


def pipeline_of(layout: Layout, columns: Sequence[Expr[Any]]) -> list[Document]:
    """Return the stages that group; the rows have the numbers of the columns as names."""
    scope = Scope(layout)
    buckets = [column for column in columns if isinstance(column, Bucket)]
    inside = [{"$ne": [value_at(scope, bucket.place), None]} for bucket in buckets]
    keys = {f"k{at}": _key(scope, column) for at, column in _keys(columns)}
    sums: Document = {}
    for at, column in enumerate(columns):
        if isinstance(column, Aggregate):
            sums.update(_sums(scope, at, column))
    stages: list[Document] = [{"$match": {"$expr": {"$and": inside}}}] if inside else []
    return [*stages, {"$group": {ID: keys or None, **sums}}]


def rows_from(groups: Iterable[Document], columns: Sequence[Expr[Any]]) -> list[Row]:
    """Return the rows of the groups, in the order of their keys."""
    keyed = [(group[ID] or {}, group) for group in groups]
    ranked = sorted(keyed, key=lambda pair: [Rank(pair[0][f"k{at}"]) for at, _ in _keys(columns)])
    return [
        tuple(_cell(column, at, keys, group) for at, column in enumerate(columns))
        for keys, group in ranked
    ]


def _keys(columns: Sequence[Expr[Any]]) -> list[tuple[int, Expr[Any]]]:
    return [(at, it) for at, it in enumerate(columns) if not isinstance(it, Aggregate)]


def _key(scope: Scope, column: Expr[Any]) -> Expression:
    if isinstance(column, Bucket):
        return {"$dateTrunc": {"date": value_at(scope, column.place), "unit": column.unit}}
    place: Place = column.place  # type: ignore[attr-defined]  # a group key is a field
    return value_at(scope, place)


def _sums(scope: Scope, at: int, column: Aggregate[Any]) -> Document:
    if column.place is None:
        return {f"n{at}": {"$sum": 1}}
    value = value_at(scope, column.place)
    count = {f"n{at}": {"$sum": {"$cond": [{"$ne": [value, None]}, 1, 0]}}}
    if column.function in {"min", "max"}:
        return {f"v{at}": {f"${column.function}": value}}
    if column.place.kind.tag == "int":
        value = {"$toDecimal": value}
    return {**count, f"v{at}": {"$sum": value}}


def _cell(column: Expr[Any], at: int, keys: Mapping[str, Any], group: Document) -> Any:
    if isinstance(column, Aggregate):
        return _aggregate(column, group.get(f"v{at}"), group.get(f"n{at}"))
    value = keys[f"k{at}"]
    if isinstance(column, Bucket):
        moment: datetime = value
        return moment if column.unit == "hour" else moment.date()
    return value_of(column.place, value) if isinstance(column, Comparison) else value


def _aggregate(column: Aggregate[Any], value: Any, count: Any) -> Any:
    place = column.place
    if place is None:
        return count
    if column.function in {"min", "max"}:
        return value_of(place, value)
    if not count:
        return None
    if place.kind.tag == "int":
        value = int(value)
    elif place.kind.tag == "decimal":
        value = Decimal(value)
    return value if column.function == "sum" else mean(value, count)
