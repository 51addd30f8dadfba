"""The statements of find, count and select, and what their rows mean. It runs none.

What is put together here are quoted names, expressions of this room and parameters, never values.
"""
# ruff: noqa: S608 - see above

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from rightstore.adapters.postgres.body import moment_from, value_from
from rightstore.adapters.postgres.expression import Parameters, Scope, json_at, value_at
from rightstore.adapters.postgres.position import after, levels, order_by
from rightstore.adapters.postgres.predicate import condition
from rightstore.adapters.postgres.table import COLUMNS, Statement, Table
from rightstore.errors import InvalidQueryError
from rightstore.model.comparison import Comparison
from rightstore.model.condition import Condition, Expr
from rightstore.model.group import Row, aggregated, floor, is_grouped, mean, value_of
from rightstore.model.measure import Aggregate, Bucket, Unit
from rightstore.ports.records import Find

# How much of a moment's text is its bucket, and what makes it a whole moment again.
_BUCKETS: dict[Unit, tuple[int, str]] = {
    "hour": (13, ":00:00"),
    "day": (10, "T00:00:00"),
    "month": (7, "-01T00:00:00"),
}
Cell = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """A statement, and what makes a row of ours of each of its rows; None: there is none."""

    statement: Statement
    row: Callable[[Sequence[Any]], Row | None]


def find(table: Table, what: Find) -> Statement:
    """Return the statement that finds records."""
    parameters = Parameters()
    tail = _tail(table, table.scope(parameters), what)
    return Statement(f"SELECT {COLUMNS} FROM {table.name} {tail}", parameters.values)


def count(table: Table, where: Condition | None) -> Statement:
    """Return the statement that counts records."""
    parameters = Parameters()
    tail = _tail(table, table.scope(parameters), Find(where))
    return Statement(f"SELECT count(*) FROM {table.name} {tail}", parameters.values)


def _tail(table: Table, scope: Scope, what: Find) -> str:
    """Return what follows the columns and the table: which rows, in which order, how many."""
    order = levels(table.declaration, scope, what.orders, what.after)
    wanted = [table.lives(scope)]
    if what.where is not None:
        wanted.append(condition(scope, what.where))
    if what.after is not None:
        wanted.append(after(order))
    tail = f"WHERE {' AND '.join(wanted)}"
    if order:
        tail += f" ORDER BY {order_by(order)}"
    if what.limit is not None:
        tail += f" LIMIT {scope.arguments.add(what.limit, 'bigint')}"
    return tail


def select(table: Table, what: Find, columns: Sequence[Expr[Any]]) -> Selection:
    """Return the statement of a selection."""
    return _grouped(table, what, columns) if is_grouped(columns) else _each(table, what, columns)


# ---- a row for each record -----------------------------------------------------------------------


def _each(table: Table, what: Find, columns: Sequence[Expr[Any]]) -> Selection:
    parameters = Parameters()
    scope = table.scope(parameters)
    places = [_own_place(column) for column in columns]
    values = ", ".join(f"{json_at(scope, place)} AS c{n}" for n, place in enumerate(places))
    tail = _tail(table, scope, what)

    def row(cells: Sequence[Any]) -> Row | None:
        found = [
            _value(column, value_from(cell)) for column, cell in zip(columns, cells, strict=True)
        ]
        is_out = any(
            value is None and isinstance(column, Bucket)
            for column, value in zip(columns, found, strict=True)
        )
        return None if is_out else tuple(found)

    return Selection(Statement(f"SELECT {values} FROM {table.name} {tail}", parameters.values), row)


def _own_place(column: Expr[Any]) -> Any:
    if isinstance(column, Comparison | Bucket):
        return column.place
    raise InvalidQueryError(f"{column} cannot be selected: pass fields, buckets or aggregates.")


def _value(column: Expr[Any], value: Any) -> Any:
    """Return what a record has there; of a moment in a bucket the bucket."""
    place = _own_place(column)
    found = value_of(place, value)
    if isinstance(column, Bucket) and found is not None:
        return floor(found, column.unit)
    return found


# ---- a row for each group ------------------------------------------------------------------------


@dataclass(slots=True)
class _Groups:
    """What the two levels of a grouped statement compute, as it is put together."""

    inner: list[str]
    outer: list[str]
    keys: list[str]
    cells: list[Cell]

    def take(self, expression: str) -> str:
        """Compute an expression for each record; return its name."""
        self.inner.append(f"{expression} AS v{len(self.inner)}")
        return f"v{len(self.inner) - 1}"

    def give(self, expression: str) -> int:
        """Compute an expression for each group; return its place in the row."""
        self.outer.append(expression)
        return len(self.outer) - 1


def _grouped(table: Table, what: Find, columns: Sequence[Expr[Any]]) -> Selection:
    parameters = Parameters()
    scope = table.scope(parameters)
    groups = _Groups([], [], [], [])
    out: list[str] = []
    for column in columns:
        if isinstance(column, Aggregate):
            groups.cells.append(_aggregate(groups, scope, column))
        else:
            groups.cells.append(_key(groups, scope, column, out))
    inner = ", ".join(groups.inner) or "1"
    text = (
        f"SELECT {', '.join(groups.outer)} FROM "
        f"(SELECT {inner} FROM {table.name} {_tail(table, scope, what)}) AS records"
    )
    if out:
        text += f" WHERE {' AND '.join(out)}"
    if groups.keys:
        text += f" GROUP BY {', '.join(groups.keys)}"
    text += " HAVING count(*) > 0"
    if groups.keys:
        text += " ORDER BY " + ", ".join(f"{key} NULLS FIRST" for key in groups.keys)
    cells = groups.cells
    return Selection(
        Statement(text, parameters.values), lambda row: tuple(cell(row) for cell in cells)
    )


def _key(groups: _Groups, scope: Scope, column: Expr[Any], out: list[str]) -> Cell:
    place = _own_place(column)
    value = value_at(scope, place)
    if isinstance(column, Bucket):
        length, rest = _BUCKETS[column.unit]
        name = groups.take(f"left({value}, {length})")
        out.append(f"{name} IS NOT NULL")
        at, unit = groups.give(name), column.unit
        groups.keys.append(name)
        return lambda row: floor(moment_from(row[at] + rest), unit)
    name = groups.take(value)
    groups.keys.append(name)
    at = groups.give(name)
    return lambda row: value_of(place, _read(place.kind.tag, row[at]))


def _aggregate(groups: _Groups, scope: Scope, column: Aggregate[Any]) -> Cell:
    place = column.place
    if place is None:
        at = groups.give("count(*)")
        return lambda row: int(row[at])
    name, tag = groups.take(value_at(scope, place)), place.kind.tag
    if column.function in {"min", "max"}:
        at = groups.give(f"{column.function}({name})")
        return lambda row: value_of(place, _read(tag, row[at]))
    if tag == "float":
        # The sum of floats depends on their order; ours does not, so it is made here.
        at = groups.give(f"array_agg({name}) FILTER (WHERE {name} IS NOT NULL)")
        return lambda row: aggregated(column, row[at] or ())
    total, size = groups.give(f"sum({name})"), groups.give(f"count({name})")
    if column.function == "sum":
        return lambda row: _read(tag, row[total])
    return lambda row: mean(_read(tag, row[total]), row[size]) if row[size] else None


def _read(tag: str, value: Any) -> Any:
    """Return what the driver gives for an expression of a kind in stored form."""
    return value if value is None or tag not in _READ else _READ[tag](value)


_READ: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "decimal": Decimal,
    "datetime": moment_from,
    "date": date.fromisoformat,
    "uuid": UUID,
}
