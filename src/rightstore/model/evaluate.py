"""The reference meaning of conditions, orders and edits, over one record in stored form.

Every store must answer as this does. There is no third answer: a condition holds or it does not.
A missing value is None. Values of different types are unequal and have no order; int, float and
Decimal are one type (numbers), bool is another. Text is ordered by code points.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import total_ordering
from typing import Any, ClassVar
from uuid import UUID

from rightstore.errors import ConditionError, ConstraintError
from rightstore.model.condition import (
    And,
    AnyOf,
    Compare,
    Condition,
    Exists,
    Has,
    Matches,
    Not,
    OneOf,
    Or,
    StartsWith,
)
from rightstore.model.edit import Add, Edit, Push, Set
from rightstore.model.order import Order
from rightstore.model.place import Place
from rightstore.model.scalar import MAX_DIGITS, MAX_INTEGER

_WORD = re.compile(r"\w+")
_EXACT = Context(prec=MAX_DIGITS, traps=[Inexact, InvalidOperation, Overflow])
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TYPES: Mapping[type[Any], str] = {
    bool: "bool",
    int: "number",
    float: "number",
    Decimal: "number",
    str: "str",
    datetime: "datetime",
    date: "date",
    UUID: "uuid",
}


def value_at(stored: Any, place: Place) -> Any:
    """Return what is at a place; None when there is nothing."""
    for step in place.stored:
        stored = stored.get(step) if isinstance(stored, Mapping) else None
    return stored


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two scalars are equal: 1 and 1.0 are, 1 and True are not, None is only None."""
    if one is None or other is None:
        return one is other
    kind = _TYPES.get(type(one))
    return kind is not None and kind == _TYPES.get(type(other)) and bool(one == other)


def satisfies(stored: Mapping[str, Any], condition: Condition) -> bool:
    """Tell whether a record in stored form meets a condition."""
    return _MEANING[type(condition)](stored, condition)


def _compare(stored: Any, asked: Compare) -> bool:
    value = value_at(stored, asked.place)
    if asked.operator == "==":
        return is_same(value, asked.value)
    if asked.operator == "!=":
        return not is_same(value, asked.value)
    kind = _TYPES.get(type(value))
    if kind is None or kind != _TYPES.get(type(asked.value)):
        return False
    return _ORDERS[asked.operator](value, asked.value)


def _starts_with(stored: Any, asked: StartsWith) -> bool:
    value = value_at(stored, asked.place)
    return isinstance(value, str) and value.startswith(asked.prefix)


def _matches(stored: Any, asked: Matches) -> bool:
    value = value_at(stored, asked.place)
    if not isinstance(value, str) or not asked.words:
        return False
    return set(asked.words) <= set(_WORD.findall(value.lower()))


def _has(stored: Any, asked: Has) -> bool:
    value = value_at(stored, asked.place)
    return isinstance(value, list) and any(is_same(item, asked.item) for item in value)


def _any(stored: Any, asked: AnyOf) -> bool:
    value = value_at(stored, asked.place)
    parts = value if isinstance(value, list) else []
    return any(isinstance(part, Mapping) and satisfies(part, asked.where) for part in parts)


_MEANING: Mapping[type[Condition], Callable[[Any, Any], bool]] = {
    And: lambda stored, asked: all(satisfies(stored, item) for item in asked.items),
    Or: lambda stored, asked: any(satisfies(stored, item) for item in asked.items),
    Not: lambda stored, asked: not satisfies(stored, asked.item),
    Compare: _compare,
    Exists: lambda stored, asked: value_at(stored, asked.place) is not None,
    OneOf: lambda stored, asked: any(
        is_same(value_at(stored, asked.place), value) for value in asked.values
    ),
    StartsWith: _starts_with,
    Matches: _matches,
    Has: _has,
    AnyOf: _any,
}


@total_ordering
class Rank:
    """A scalar with its place in a sort: None before everything, turned round when descending."""

    __slots__ = ("_descending", "value")

    def __init__(self, value: Any, *, descending: bool = False) -> None:
        self.value: Any = value
        self._descending = descending

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rank) and is_same(self.value, other.value)

    def __lt__(self, other: "Rank") -> bool:
        one, two = (other.value, self.value) if self._descending else (self.value, other.value)
        if one is None or two is None:
            return one is None and two is not None
        return bool(one < two)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # equal ranks differ in values


def sort_key(stored: Mapping[str, Any], orders: Sequence[Order]) -> tuple[Rank, ...]:
    """Return what to sort a record by."""
    return tuple(
        Rank(value_at(stored, order.place), descending=order.descending) for order in orders
    )


def position(stored: Mapping[str, Any], orders: Sequence[Order]) -> tuple[Any, ...]:
    """Return where a record stands in an order: the values that a cursor keeps."""
    return tuple(value_at(stored, order.place) for order in orders)


def is_after(stored: Mapping[str, Any], orders: Sequence[Order], mark: Sequence[Any]) -> bool:
    """Tell whether a record comes after a position in an order."""
    ranks = tuple(
        Rank(value, descending=order.descending) for order, value in zip(orders, mark, strict=True)
    )
    return sort_key(stored, orders) > ranks


def apply(stored: dict[str, Any], edits: Sequence[Edit]) -> None:
    """Apply edits to a record in stored form, in place; when it raises, throw the record away.

    ConditionError when the part or dict that holds the place is not there; ConstraintError when
    the result cannot be stored.
    """
    for edit in edits:
        holder = _holder(stored, edit.place)
        step = edit.place.stored[-1]
        holder[step] = _EDITS[type(edit)](edit, holder.get(step))


def _holder(stored: Any, place: Place) -> dict[str, Any]:
    for step, name in zip(place.stored[:-1], place.steps, strict=False):
        stored = stored.get(step)
        if not isinstance(stored, dict):
            raise ConditionError(
                f"{place} cannot be edited: {name} is not there; set the whole of it first."
            )
    found: dict[str, Any] = stored
    return found


def _set(edit: Set, _: Any) -> Any:
    return edit.value


def _add(edit: Add, old: Any) -> Any:
    if old is not None and _TYPES.get(type(old)) != "number":
        raise ConditionError(f"{edit.place} cannot grow: there is no number there; set it first.")
    try:
        return _sum(edit.amount, old)
    except (ArithmeticError, ValueError):
        raise ConstraintError(
            f"{edit.place} would leave the range of its type: nothing was changed."
        ) from None


def _sum(amount: Any, old: Any) -> Any:
    if isinstance(amount, Decimal):
        return _EXACT.add(Decimal(old or 0), amount)
    total = (old or 0) + amount
    if isinstance(total, int) and not -MAX_INTEGER <= total < MAX_INTEGER:
        raise OverflowError
    if isinstance(total, float) and total - total != 0:
        raise OverflowError
    return total


def _push(edit: Push, old: Any) -> list[Any]:
    if old is not None and not isinstance(old, list):
        raise ConditionError(f"{edit.place} is no list there: set it first.")
    items = [*(old or []), edit.item]
    return items[-edit.keep :] if edit.keep else items


_EDITS: Mapping[type[Edit], Callable[[Any, Any], Any]] = {Set: _set, Add: _add, Push: _push}
