"""Orders and positions in them, as SQL: None first going up, last going down, texts by code points.

Behind the values of an order comes the key; its column sorts as the fields of the key do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rightstore.adapters.postgres.expression import Scope, argument, value_at
from rightstore.model.declaration import Declaration
from rightstore.model.key import encode_key
from rightstore.model.kind import Kind
from rightstore.model.order import Order


@dataclass(frozen=True, slots=True)
class Level:
    """One level of an order: what is sorted by, and the value there of the position, if any."""

    value: str
    descending: bool
    mark: str | None = None
    is_key: bool = False


def levels(
    declaration: Declaration, scope: Scope, orders: Sequence[Order], mark: Sequence[Any] | None
) -> list[Level]:
    """Return the levels of an order; the fields of the key together are one, its column."""
    cut = _before_key(declaration, orders)
    marks = [None] * len(orders) if mark is None else list(mark)
    found = [
        Level(value_at(scope, order.place), order.descending, _mark(scope, order, value))
        for order, value in zip(orders[:cut], marks, strict=False)
    ]
    if cut < len(orders):
        key = None
        if mark is not None:
            values: Any = tuple(marks[cut:])
            whole = encode_key(declaration, values if len(values) > 1 else values[0])
            key = scope.arguments.add(whole, "text")
        found.append(Level("key", orders[-1].descending, key, is_key=True))
    return found


def _before_key(declaration: Declaration, orders: Sequence[Order]) -> int:
    """Return where the key begins in an order, when it is its end and goes one way."""
    cut = len(orders) - len(declaration.key)
    tail = orders[max(cut, 0) :]
    is_key = [order.place.steps for order in tail] == [(name,) for name in declaration.key]
    return cut if is_key and len({order.descending for order in tail}) == 1 else len(orders)


def _mark(scope: Scope, order: Order, value: Any) -> str | None:
    return None if value is None else argument(scope, Kind(order.place.kind.tag), value)


def order_by(order: Sequence[Level]) -> str:
    """Return what stands behind ORDER BY."""
    return ", ".join(f"{level.value} {direction(down=level.descending)}" for level in order)


def direction(*, down: bool) -> str:
    """Return which way a column of an order or an index goes, and where None is in it."""
    return "DESC NULLS LAST" if down else "ASC NULLS FIRST"


def after(order: Sequence[Level]) -> str:
    """Return the condition that a row comes after the position.

    One comparison of rows where it can be one: an index begins to read there. None, which comes
    last going down, needs the longer form.
    """
    has_marks = all(level.mark is not None for level in order)
    goes_up = not any(level.descending for level in order)
    if has_marks and (goes_up or all(level.is_key for level in order)):
        operator = ">" if goes_up else "<"
        values = ", ".join(level.value for level in order)
        return f"(({values}) {operator} ({', '.join(str(level.mark) for level in order)}))"
    found = "FALSE"
    for level in reversed(order):
        same = f"{level.value} IS NULL" if level.mark is None else f"{level.value} = {level.mark}"
        found = f"({_beyond(level)} OR ({same} AND {found}))"
    return found


def _beyond(level: Level) -> str:
    value, mark = level.value, level.mark
    if mark is None:
        return "FALSE" if level.descending else f"{value} IS NOT NULL"
    if not level.descending:
        return f"{value} > {mark}"
    return f"{value} < {mark}" if level.is_key else f"({value} < {mark} OR {value} IS NULL)"
