"""A condition as an expression for pipelines: `change` tests with it. It means what `filter` does.

Expressions compare values of all types with each other, so an order asks for the type first. Each
value is a `$literal`, so that none can be an operator or a path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from rightstore.adapters.mongodb.document import Layout
from rightstore.adapters.mongodb.filter import successor
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
from rightstore.model.place import Place, into, root

Expression: TypeAlias = dict[str, Any]
_OPERATORS: Mapping[str, str] = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_TYPES: Mapping[type[Any], str] = {
    str: "string",
    datetime: "date",
    date: "string",
    UUID: "binData",
    bool: "bool",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the fields are: at the top of a document, or in the variable of an inner `any`."""

    layout: Layout
    start: str = "$"
    depth: int = 0

    def path(self, place: Place) -> str:
        """Return the path of a place as an expression reads it."""
        return self.start + ".".join(self.layout.path(place))


def expression_of(scope: Scope, condition: Condition) -> Expression:
    """Return the expression that is true of what meets the condition."""
    return _MEANING[type(condition)](scope, condition)


def literal(value: Any) -> Expression:
    """Return a value as one, whatever it looks like."""
    return {"$literal": value}


def value_at(scope: Scope, place: Place) -> Expression:
    """Return the value at a place; null where there is none, or where an array is on the way."""
    path, value = scope.path(place), {"$ifNull": [scope.path(place), None]}
    outer = [each for each in _open(scope, place) if each != path]
    around = [{"$eq": [{"$type": each}, "object"]} for each in outer]
    return {"$cond": [{"$and": around}, value, None]} if around else value


def _open(scope: Scope, place: Place) -> list[str]:
    """Return the paths, from the outside in, at which anything may be."""
    path, here = scope.layout.path(place), root(place.owner)
    found: list[str] = []
    for at, step in enumerate(place.steps):
        here = into(here, step, None)
        if here.kind.tag == "any":
            found.append(scope.start + ".".join(path[: at + 1]))
    return found


def _compare(scope: Scope, asked: Compare) -> Expression:
    value = value_at(scope, asked.place)
    if asked.operator in {"==", "!="}:
        return {"$eq" if asked.operator == "==" else "$ne": [value, literal(asked.value)]}
    return _ordered(value, {_OPERATORS[asked.operator]: asked.value})


def _ordered(value: Expression, tests: Mapping[str, Any]) -> Expression:
    asked = next(iter(tests.values()))
    if isinstance(asked, int | float | Decimal) and not isinstance(asked, bool):
        typed: Expression = {"$isNumber": value}
    else:
        typed = {"$eq": [{"$type": value}, _TYPES[type(asked)]]}
    return {"$and": [typed, *({test: [value, literal(mark)]} for test, mark in tests.items())]}


def _starts_with(scope: Scope, asked: StartsWith) -> Expression:
    end = successor(asked.prefix)
    tests = {"$gte": asked.prefix} if end is None else {"$gte": asked.prefix, "$lt": end}
    return _ordered(value_at(scope, asked.place), tests)


def _matches(scope: Scope, asked: Matches) -> Expression:
    raise UnsupportedError(
        f"{asked}: mongodb is not asked for words; keep {scope.layout.name} elsewhere."
    )


def _has(scope: Scope, asked: Has) -> Expression:
    return {"$in": [literal(asked.item), _list(value_at(scope, asked.place))]}


def _any(scope: Scope, asked: AnyOf) -> Expression:
    name = f"part{scope.depth}"
    inner = Scope(scope.layout, f"$${name}.", scope.depth + 1)
    is_part = {"$eq": [{"$type": f"$${name}"}, "object"]}
    test = {"$and": [is_part, expression_of(inner, asked.where)]}
    parts = _list(value_at(scope, asked.place))
    return {"$anyElementTrue": [{"$map": {"input": parts, "as": name, "in": test}}]}


def _list(value: Expression) -> Expression:
    return {"$cond": [{"$isArray": [value]}, value, []]}


_MEANING: Mapping[type[Condition], Callable[[Scope, Any], Expression]] = {
    And: lambda scope, asked: {"$and": [expression_of(scope, item) for item in asked.items]},
    Or: lambda scope, asked: {"$or": [expression_of(scope, item) for item in asked.items]},
    Not: lambda scope, asked: {"$not": [expression_of(scope, asked.item)]},
    Compare: _compare,
    Exists: lambda scope, asked: {"$ne": [value_at(scope, asked.place), None]},
    OneOf: lambda scope, asked: {
        "$in": [value_at(scope, asked.place), literal(list(asked.values))]
    },
    StartsWith: _starts_with,
    Matches: _matches,
    Has: _has,
    AnyOf: _any,
}
