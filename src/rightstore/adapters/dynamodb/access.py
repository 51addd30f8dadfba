"""Which way leads to the records that a query asks for: an index, a partition, a key, or none.

It judges by the declaration alone and reads nothing. What a way finds is a little too much at most:
who walks it looks at each record again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rightstore.adapters.dynamodb.index import MAX_RANGE, Column, Secondary, hashed
from rightstore.adapters.dynamodb.item import Items
from rightstore.errors import ConstraintError, UnsupportedError
from rightstore.model.condition import And, Compare, Condition, StartsWith
from rightstore.model.declaration import Declaration
from rightstore.model.evaluate import is_same
from rightstore.model.key import encode_key
from rightstore.model.order import Order
from rightstore.model.place import Place
from rightstore.ports.records import Find

Fixed = dict[tuple[str, ...], Any]
_LAST = b"\xff"


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No record can meet the condition."""


@dataclass(frozen=True, slots=True)
class ByKey:
    """At most one record."""

    key: str


@dataclass(frozen=True, slots=True)
class ByPartition:
    """The records of one partition of the table."""

    partition: str


@dataclass(frozen=True, slots=True)
class ByIndex:
    """The entries of an index with this hash and a range between these, in the order asked or not.

    `is_exact`: the condition asks for nothing else, so that entries can be counted.
    """

    index: Secondary
    hash: bytes
    low: bytes
    high: bytes
    backward: bool = False
    is_ordered: bool = False
    is_exact: bool = False
    used: int = 0


Access = Nowhere | ByKey | ByPartition | ByIndex


def access(items: Items, what: Find) -> Access:
    """Return the best way; UnsupportedError names the index that there is none of."""
    asked = tuple(_conjuncts(what.where))
    fixed: Fixed = {
        one.place.steps: one.value
        for one in asked
        if isinstance(one, Compare) and one.operator == "=="
    }
    declaration = items.declaration
    if any(fixed.get((name,), declaration) in (None, "") for name in declaration.key):
        return Nowhere()
    if all((name,) in fixed for name in declaration.key):
        return _by_key(declaration, tuple(fixed[name,] for name in declaration.key))
    ways = [
        _by_index(index, asked, fixed, what)
        for index in items.indexes
        if index.first.steps in fixed and set(index.where) <= set(asked)
    ]
    if ways:
        best = max(ways, key=lambda way: (way.is_ordered, way.used))
        return best if best.low <= best.high else Nowhere()
    partition = items.layout.partition_fields()
    if partition and all((name,) in fixed for name in partition):
        return ByPartition(items.layout.partition({name: fixed[name,] for name in partition}))
    raise _missing(items, asked, fixed, what.orders)


def _by_key(declaration: Declaration, values: tuple[Any, ...]) -> Access:
    try:
        return ByKey(encode_key(declaration, values if len(values) > 1 else values[0]))
    except ConstraintError:
        # What cannot be a key is no record's.
        return Nowhere()


def _conjuncts(where: Condition | None) -> Iterator[Condition]:
    if isinstance(where, And):
        for item in where.items:
            yield from _conjuncts(item)
    elif where is not None:
        yield where


def _by_index(index: Secondary, asked: Sequence[Condition], fixed: Fixed, what: Find) -> ByIndex:
    prefix, used = b"", 0
    for column in index.rest:
        if column.place.steps not in fixed:
            break
        prefix += column.bytes_of(fixed[column.place.steps])
        used += 1
    rest = index.rest[used:]
    low, high = prefix, prefix + _LAST
    ranged = [one for one in asked if rest and _is_range_of(one, rest[0])]
    for one in ranged:
        first, last = _bounds(one, rest[0])
        low, high = max(low, prefix + first), min(high, prefix + last)
    direction = _direction(rest, fixed, what.orders)
    if direction is not None and what.after is not None:
        mark = _mark(prefix, rest, fixed, what)
        if mark is not None:
            low, high = (low, min(high, mark)) if direction else (max(low, mark), high)
    known = {index.first.steps, *(column.place.steps for column in index.rest[:used])}
    return ByIndex(
        index=index,
        hash=hashed(fixed[index.first.steps]),
        low=low[:MAX_RANGE] or b"\x00",
        high=high if len(high) <= MAX_RANGE else high[: MAX_RANGE - 1] + _LAST,
        backward=bool(direction),
        is_ordered=direction is not None,
        is_exact=all(_is_used(one, known, fixed, index) for one in asked),
        used=2 * used + len(ranged),
    )


def _is_used(one: Condition, known: set[tuple[str, ...]], fixed: Fixed, index: Secondary) -> bool:
    """Tell whether the way already sees to a condition."""
    if one in index.where:
        return True
    if not (isinstance(one, Compare) and one.operator == "==" and one.place.steps in known):
        return False
    return is_same(one.value, fixed[one.place.steps])


def _is_range_of(one: Condition, column: Column) -> bool:
    if not isinstance(one, Compare | StartsWith) or one.place.steps != column.place.steps:
        return False
    return isinstance(one, StartsWith) or one.operator not in {"==", "!="}


def _bounds(one: Condition, column: Column) -> tuple[bytes, bytes]:
    """Return between which bytes the values of a column are that meet this, both included."""
    if isinstance(one, StartsWith):
        # Without the end of the text, which a longer one does not have there.
        begin = column.bytes_of(one.prefix)[:-1]
        return begin, begin + _LAST * 2
    assert isinstance(one, Compare)  # noqa: S101 - `_is_range_of` has seen to it
    at = column.bytes_of(one.value)
    is_upper = (one.operator in {"<", "<="}) != column.descending
    return (b"", at + _LAST) if is_upper else (at, _LAST)


def _direction(rest: Sequence[Column], fixed: Fixed, orders: Sequence[Order]) -> bool | None:
    """Return whether the index is to be read backward for this order; None when it has another."""
    wanted = [(order.place, order.descending) for order in orders if order.place.steps not in fixed]
    given = [
        (column.place, column.descending) for column in rest if column.place.steps not in fixed
    ]
    if [place.steps for place, _ in wanted] != [it.steps for it, _ in given[: len(wanted)]]:
        return None
    turned = {
        order_down != column_down
        for (_, order_down), (_, column_down) in zip(wanted, given, strict=False)
    }
    return None if len(turned) > 1 else turned == {True}


def _mark(prefix: bytes, rest: Sequence[Column], fixed: Fixed, what: Find) -> bytes | None:
    """Return the place of a position in an index; None when it belongs to other values."""
    at: dict[tuple[str, ...], Any] = {
        order.place.steps: value for order, value in zip(what.orders, what.after or (), strict=True)
    }
    if any(steps in at and not is_same(at[steps], value) for steps, value in fixed.items()):
        return None
    at |= fixed
    if not all(column.place.steps in at for column in rest):
        return None
    return prefix + b"".join(column.bytes_of(at[column.place.steps]) for column in rest)


def _missing(
    items: Items, asked: Sequence[Condition], fixed: Fixed, orders: Sequence[Order]
) -> UnsupportedError:
    declaration = items.declaration
    places = [".".join(steps) for steps in fixed]
    ranges: list[Place] = [
        one.place
        for one in asked
        if isinstance(one, Compare | StartsWith) and one.place.steps not in fixed
    ]
    tail = [
        f"{'-' if order.descending else ''}{'.'.join(order.place.steps)}"
        for order in orders
        if order.place.steps not in fixed and order.place.steps[0] not in declaration.key
    ] or [".".join(place.steps) for place in ranges[:1]]
    if not places:
        return UnsupportedError(
            f"{declaration.name}: dynamodb finds only by a field that is equal to a value, and "
            "this asks for none: ask so of the first field of a declared Index."
        )
    columns = ", ".join(map(repr, dict.fromkeys([*places, *tail])))
    return UnsupportedError(
        f"{declaration.name}: dynamodb has no index for this: declare Index({columns})."
    )
