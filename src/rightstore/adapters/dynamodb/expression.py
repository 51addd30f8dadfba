"""Conditions and edits as expressions of DynamoDB: exact, or not at all (`InexpressibleError`).

What cannot be said is done by reading first. Names and values are always placeholders.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rightstore.adapters.dynamodb.value import Attribute, is_free, to_attribute
from rightstore.model.condition import (
    And,
    Compare,
    Condition,
    Exists,
    Has,
    Not,
    OneOf,
    Or,
    StartsWith,
)
from rightstore.model.edit import Add, Edit, Push, Set
from rightstore.model.kind import Kind
from rightstore.model.member import rename_of
from rightstore.model.place import Place, into, root
from rightstore.model.scalar import MAX_INTEGER

# DynamoDB takes 4 KB of an expression and 300 operators; IN takes 100 operands.
MAX_TEXT, MAX_OPTIONS, MAX_PLACEHOLDERS = 4096, 100, 250


class InexpressibleError(Exception):
    """No expression means exactly this."""


class Expression:
    """One request's placeholders, and how conditions and edits are written with them."""

    def __init__(self, rename: str | None) -> None:
        self.rename = rename
        self.names: dict[str, str] = {}
        self.values: dict[str, Attribute] = {}

    def name(self, *steps: str) -> str:
        """Return a path with a placeholder for each step."""
        return ".".join(self._step(step) for step in steps)

    def _step(self, step: str) -> str:
        for placeholder, known in self.names.items():
            if known == step:
                return placeholder
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = step
        return placeholder

    def value(self, attribute: Attribute) -> str:
        """Return a placeholder for a value."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = attribute
        return placeholder

    def arguments(self, **expressions: str) -> dict[str, Any]:
        """Return the arguments of a request; InexpressibleError when it would be too long."""
        many = max(len(self.names), len(self.values)) > MAX_PLACEHOLDERS
        if many or any(len(text) > MAX_TEXT for text in expressions.values()):
            raise InexpressibleError
        found: dict[str, Any] = {**expressions, "ExpressionAttributeNames": self.names}
        return found | ({"ExpressionAttributeValues": self.values} if self.values else {})

    def condition(self, asked: Condition) -> str:
        """Return a condition as an expression that holds of exactly the same records."""
        write = _CONDITIONS.get(type(asked))
        if write is None:
            raise InexpressibleError
        return f"({write(self, asked)})"

    def place(self, place: Place) -> str:
        """Return the path of a place; no path leads into free-form text."""
        if place.kind.tag == "any" or _crosses_free(place):
            raise InexpressibleError
        return self.name(*place.stored)

    def stored(self, kind: Kind, value: Any) -> str:
        """Return a placeholder for a value in stored form."""
        return self.value(to_attribute(kind, value, self.rename))

    def is_type(self, path: str, tag: str) -> str:
        """Return the condition that an attribute is of this type."""
        return f"attribute_type({path}, {self.value({'S': tag})})"

    def is_none(self, path: str) -> str:
        """Return the condition that there is no value."""
        return f"(attribute_not_exists({path}) OR {self.is_type(path, 'NULL')})"


def _crosses_free(place: Place) -> bool:
    """Tell whether a place is within a value that is kept as text."""
    around = [_locate(place, end) for end in range(1, len(place.steps))]
    return any(is_free(outer.kind) for outer in around)


def _locate(place: Place, end: int) -> Place:
    found = root(place.owner)
    for step in place.steps[:end]:
        found = into(found, step, rename_of(place.owner))
    return found


def _join(word: str) -> Callable[[Expression, And | Or], str]:
    return lambda it, asked: f" {word} ".join(it.condition(item) for item in asked.items)


def _compare(it: Expression, asked: Compare) -> str:
    path, kind = it.place(asked.place), asked.place.kind
    if asked.value is None:
        none = it.is_none(path)
        return none if asked.operator == "==" else f"NOT {none}"
    value = it.stored(kind, asked.value)
    if asked.operator in {"==", "!="}:
        return f"{path} = {value}" if asked.operator == "==" else f"NOT {path} = {value}"
    if kind.tag in {"float", "decimal"}:
        # One beyond the range of DynamoDB is no number there, and has no order.
        raise InexpressibleError
    return f"{path} {asked.operator} {value}"


def _one_of(it: Expression, asked: OneOf) -> str:
    path = it.place(asked.place)
    if not 1 <= len(asked.values) <= MAX_OPTIONS:
        raise InexpressibleError
    values = ", ".join(it.stored(asked.place.kind, value) for value in asked.values)
    return f"{path} IN ({values})"


def _starts_with(it: Expression, asked: StartsWith) -> str:
    path = it.place(asked.place)
    if not asked.prefix:
        return it.is_type(path, "S")
    return f"begins_with({path}, {it.value({'S': asked.prefix})})"


def _has(it: Expression, asked: Has) -> str:
    path, kind = it.place(asked.place), asked.place.kind.of
    if asked.item is None or is_free(kind):
        raise InexpressibleError
    return f"contains({path}, {it.stored(kind, asked.item)})"


_CONDITIONS: Mapping[type[Condition], Callable[[Expression, Any], str]] = {
    And: _join("AND"),
    Or: _join("OR"),
    Not: lambda it, asked: f"NOT {it.condition(asked.item)}",
    Compare: _compare,
    Exists: lambda it, asked: f"NOT {it.is_none(it.place(asked.place))}",
    OneOf: _one_of,
    StartsWith: _starts_with,
    Has: _has,
}


def edit(it: Expression, asked: Edit) -> tuple[str, list[str]]:
    """Return an edit as an assignment, and the conditions without which it means something else."""
    path = it.place(asked.place)
    above = asked.place.stored
    holds = [f"attribute_exists({it.name(above[0])})"]
    holds += [it.is_type(it.name(*above[:end]), "M") for end in range(1, len(above))]
    value, more = _EDITS[type(asked)](it, asked, path)
    return f"{path} = {value}", holds + more


def _set(it: Expression, asked: Set, _: str) -> tuple[str, list[str]]:
    return it.stored(asked.place.kind, asked.value), []


def _add(it: Expression, asked: Add, path: str) -> tuple[str, list[str]]:
    amount = asked.amount
    if not isinstance(amount, int):
        # DynamoDB adds floats as decimals, and decimals to 38 digits.
        raise InexpressibleError
    least, most = max(-MAX_INTEGER, -MAX_INTEGER - amount), min(MAX_INTEGER, MAX_INTEGER - amount)
    low, high = (it.value({"N": str(bound)}) for bound in (least, most - 1))
    grown = f"if_not_exists({path}, {it.value({'N': '0'})}) + {it.value({'N': str(amount)})}"
    return grown, [f"(attribute_not_exists({path}) OR {path} BETWEEN {low} AND {high})"]


def _push(it: Expression, asked: Push, path: str) -> tuple[str, list[str]]:
    item = it.value({"L": [to_attribute(asked.place.kind.of, asked.item, it.rename)]})
    fits = it.is_type(path, "L")
    if asked.keep:
        fits = f"({fits} AND size({path}) < {it.value({'N': str(asked.keep)})})"
    grown = f"list_append(if_not_exists({path}, {it.value({'L': []})}), {item})"
    return grown, [f"(attribute_not_exists({path}) OR {fits})"]


_EDITS: Mapping[type[Edit], Callable[[Expression, Any, str], tuple[str, list[str]]]] = {
    Set: _set,
    Add: _add,
    Push: _push,
}
