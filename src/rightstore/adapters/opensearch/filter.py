"""Conditions as queries of OpenSearch. Values and keys are only ever values in them.

Nothing here is parsed by the server: there is no `query_string` and no script.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rightstore.adapters.opensearch.encoding import MAX_KEYWORD, encoded, token
from rightstore.adapters.opensearch.layout import (
    Layout,
    item_token,
    place_token,
    value_token,
)
from rightstore.errors import UnsupportedError
from rightstore.model.condition import (
    And,
    AnyOf,
    Compare,
    Condition,
    Exists,
    Has,
    Not,
    OneOf,
    Or,
    StartsWith,
)
from rightstore.model.place import Place

Query = dict[str, Any]
_NOTHING: Query = {"match_none": {}}
_BOUNDS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


class Filter:
    """Translates conditions about a record, or about the parts of a list in it."""

    def __init__(self, layout: Layout, prefix: str = "") -> None:
        self._layout, self._prefix = layout, prefix

    def query(self, condition: Condition) -> Query:
        """Return the query that finds what meets a condition."""
        return _QUERIES[type(condition)](self, condition)

    def every(self, asked: And) -> Query:
        """All of these."""
        return {"bool": {"filter": [self.query(item) for item in asked.items]}}

    def some(self, asked: Or) -> Query:
        """At least one of these."""
        return any_of([self.query(item) for item in asked.items])

    def no(self, asked: Not) -> Query:
        """Not this."""
        return {"bool": {"must_not": [self.query(asked.item)]}}

    def compare(self, asked: Compare) -> Query:
        """The value at a place compared."""
        if asked.operator == "!=":
            return {"bool": {"must_not": [self._same(asked.place, asked.value)]}}
        if asked.operator == "==":
            return self._same(asked.place, asked.value)
        field, bound = self._field(asked.place), _BOUNDS[asked.operator]
        if field:
            return {"range": {field: {bound: encoded(asked.place.kind.tag, asked.value)}}}
        value = token(asked.value)
        mark = value_token(asked.place.stored, asked.value)
        kind = mark[: -len(value)] + value[0]
        # A range ends where tokens of another kind, or of another place, begin.
        after = kind[:-1] + chr(ord(kind[-1]) + 1)
        rest = {"gte": kind} if bound.startswith("lt") else {"lt": after}
        return {"range": {self._name("free"): {bound: mark, **rest}}}

    def exists(self, asked: Exists) -> Query:
        """There is a value."""
        return self._term("there", place_token(asked.place.stored))

    def one_of(self, asked: OneOf) -> Query:
        """One of these values."""
        field = self._field(asked.place)
        if field:
            values = [encoded(asked.place.kind.tag, value) for value in asked.values]
            return {"terms": {field: values}}
        values = [value_token(asked.place.stored, value) for value in asked.values]
        return {"terms": {self._name("free"): values}}

    def starts_with(self, asked: StartsWith) -> Query:
        """A text that starts with this one."""
        if len(asked.prefix) > MAX_KEYWORD:
            raise UnsupportedError(
                f"{asked.place}.starts_with: OpenSearch looks at the first {MAX_KEYWORD} "
                "characters: ask for a shorter beginning."
            )
        field = self._field(asked.place)
        if field:
            return {"prefix": {field: {"value": asked.prefix}}}
        start = value_token(asked.place.stored, asked.prefix)
        return {"prefix": {self._name("free"): {"value": start}}}

    def has(self, asked: Has) -> Query:
        """A list with this item."""
        name = ".".join(asked.place.stored)
        if asked.item is not None and name in self._layout.values:
            value = encoded(asked.place.kind.of.tag, asked.item)
            return self._term(f"value.{name}", value)
        return self._term("free", item_token(asked.place.stored, asked.item))

    def any(self, asked: AnyOf) -> Query:
        """A list with a part that meets all of it."""
        name = ".".join(asked.place.stored)
        inner = self._layout.parts.get(name)
        if inner is None:
            raise UnsupportedError(
                f"{asked.place}.any: OpenSearch keeps no parts apart in a dict or inside a part of "
                "the same class: search a flatter record."
            )
        path = self._name(f"parts.{name}")
        return {"nested": {"path": path, "query": Filter(inner, f"{path}.").query(asked.where)}}

    def _same(self, place: Place, value: Any) -> Query:
        if value is None:
            return {"bool": {"must_not": [self._term("there", place_token(place.stored))]}}
        if self._field(place):
            return self._term(f"value.{'.'.join(place.stored)}", encoded(place.kind.tag, value))
        return self._term("free", value_token(place.stored, value))

    def _term(self, field: str, value: Any) -> Query:
        return {"term": {self._name(field): {"value": value}}}

    def _field(self, place: Place) -> str | None:
        """Return the field of a scalar of its own; None when it is among the free ones."""
        name = ".".join(place.stored)
        return self._name(f"value.{name}") if name in self._layout.values else None

    def _name(self, field: str) -> str:
        return self._prefix + field


def any_of(queries: list[Query]) -> Query:
    """Return what meets at least one of these; of none, nothing does."""
    if not queries:
        return _NOTHING
    return {"bool": {"should": queries, "minimum_should_match": 1}}


_QUERIES: Mapping[type[Condition], Callable[[Filter, Any], Query]] = {
    And: Filter.every,
    Or: Filter.some,
    Not: Filter.no,
    Compare: Filter.compare,
    Exists: Filter.exists,
    OneOf: Filter.one_of,
    StartsWith: Filter.starts_with,
    Has: Filter.has,
    AnyOf: Filter.any,
}
