"""A condition as the filter of `find`, which indexes serve; it means what `model.evaluate` says.

MongoDB looks into arrays by itself, along the way as well as at its end: wherever an array can be
(in free-form fields) the filter says that there is none. Every value stands behind an operator, so
that none can be one. For conditions inside an update see `expression`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from rightstore.adapters.mongodb.document import Layout
from rightstore.errors import UnsupportedError
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
from rightstore.model.order import Order
from rightstore.model.place import Place, into, root

Filter: TypeAlias = dict[str, Any]
NOTHING: Filter = {"$nor": [{}]}
_OPERATORS: Mapping[str, str] = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_NO_ARRAY: Filter = {"$not": {"$type": "array"}}
_NO_NAME = "\x01"
_LAST, _FIRST_SURROGATE, _AFTER_SURROGATES = 0x10FFFF, 0xD800, 0xE000


def filter_of(layout: Layout, condition: Condition) -> Filter:
    """Return the filter that lets through what meets the condition."""
    return _MEANING[type(condition)](layout, condition)


def all_of(filters: Sequence[Filter]) -> Filter:
    """Return the filter that lets through what all of these do."""
    found = [one for one in filters if one]
    if len(found) < 2:
        return found[0] if found else {}
    return {"$and": found}


def after(layout: Layout, orders: Sequence[Order], mark: Sequence[Any]) -> Filter:
    """Return the filter that lets through what comes after a position in an order."""
    ways: list[Filter] = []
    same: list[Filter] = []
    for order, value in zip(orders, mark, strict=True):
        ways.append(all_of([*same, _beyond(layout, order, value)]))
        same.append(_equal(layout, order.place, value))
    return all_of([_reaching(layout, orders[0], mark[0]), {"$or": ways}]) if ways else NOTHING


def _reaching(layout: Layout, order: Order, value: Any) -> Filter:
    """Bound the first level by itself: a server finds no bounds for an index in the whole."""
    if value is None or order.descending:
        return {}
    return {_dotted(layout, order.place): {"$gte": value}}


def _beyond(layout: Layout, order: Order, value: Any) -> Filter:
    path = _dotted(layout, order.place)
    if value is None:
        return NOTHING if order.descending else {path: {"$ne": None}}
    if order.descending:
        return {"$or": [{path: {"$lt": value}}, {path: {"$eq": None}}]}
    return {path: {"$gt": value}}


def _dotted(layout: Layout, place: Place) -> str:
    return ".".join(layout.path(place))


def _compare(layout: Layout, asked: Compare) -> Filter:
    if asked.operator == "!=":
        return {"$nor": [_equal(layout, asked.place, asked.value)]}
    if asked.operator == "==":
        return _equal(layout, asked.place, asked.value)
    return _single(layout, asked.place, {_OPERATORS[asked.operator]: asked.value})


def _equal(layout: Layout, place: Place, value: Any) -> Filter:
    if value is not None:
        return _single(layout, place, {"$eq": value})
    nothing = _single(layout, place, {"$eq": None})
    around = [{path: {"$type": "array"}} for path in _open(layout, place)[:-1]]
    # In an array there is nothing by name.
    return {"$or": [*around, nothing]} if around else nothing


def _single(layout: Layout, place: Place, test: Filter) -> Filter:
    """Return a test of one value, where no array is in its place or around it."""
    path, open_paths = _dotted(layout, place), _open(layout, place)
    around = [{outer: _NO_ARRAY} for outer in open_paths if outer != path]
    if path in open_paths:
        test = {**test, **_NO_ARRAY}
    return all_of([*around, {path: test}])


def _open(layout: Layout, place: Place) -> list[str]:
    """Return the paths, from the outside in, at which an array may be without being declared."""
    path, here = layout.path(place), root(place.owner)
    found: list[str] = []
    for at, step in enumerate(place.steps):
        here = into(here, step, None)
        if here.kind.tag == "any":
            found.append(".".join(path[: at + 1]))
    return found


def _exists(layout: Layout, asked: Exists) -> Filter:
    return {"$nor": [_equal(layout, asked.place, None)]}


def _one_of(layout: Layout, asked: OneOf) -> Filter:
    return _single(layout, asked.place, {"$in": list(asked.values)})


def _starts_with(layout: Layout, asked: StartsWith) -> Filter:
    end = successor(asked.prefix)
    test = {"$gte": asked.prefix} if end is None else {"$gte": asked.prefix, "$lt": end}
    return _single(layout, asked.place, test)


def successor(prefix: str) -> str | None:
    """Return the first text after all those that start with this one; None when none is."""
    for at in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[at]) + 1
        if point == _FIRST_SURROGATE:
            point = _AFTER_SURROGATES
        if point <= _LAST:
            return prefix[:at] + chr(point)
    return None


def _matches(layout: Layout, asked: Matches) -> Filter:
    raise UnsupportedError(
        f"{asked}: mongodb is not asked for words; keep {layout.name} elsewhere."
    )


def _has(layout: Layout, asked: Has) -> Filter:
    return _in_list(layout, asked.place, {"$eq": asked.item})


def _any(layout: Layout, asked: AnyOf) -> Filter:
    # Not every server takes an operator as the first thing here, so a name that no part has is.
    whole: Filter = {_NO_NAME: {"$exists": False}, "$and": [filter_of(layout, asked.where)]}
    return _in_list(layout, asked.place, whole)


def _in_list(layout: Layout, place: Place, test: Filter) -> Filter:
    path = _dotted(layout, place)
    around = [{outer: _NO_ARRAY} for outer in _open(layout, place) if outer != path]
    return all_of([*around, {path: {"$elemMatch": test}}])


_MEANING: Mapping[type[Condition], Callable[[Layout, Any], Filter]] = {
    And: lambda layout, asked: all_of([filter_of(layout, item) for item in asked.items]),
    Or: lambda layout, asked: {"$or": [filter_of(layout, item) or {} for item in asked.items]},
    Not: lambda layout, asked: {"$nor": [filter_of(layout, asked.item)]},
    Compare: _compare,
    Exists: _exists,
    OneOf: _one_of,
    StartsWith: _starts_with,
    Matches: _matches,
    Has: _has,
    AnyOf: _any,
}
