"""Conditions as SQL, with the two-valued meaning of `model.evaluate`: true, or not true.

An expression may be NULL, which is not true; `~` is IS NOT TRUE, so it is the exact opposite.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rightstore.adapters.postgres.body import to_json
from rightstore.adapters.postgres.expression import (
    Constants,
    Scope,
    argument,
    forms_at,
    json_at,
    plain,
    text_at,
    type_of,
    typed,
    untyped,
    value_at,
)
from rightstore.adapters.postgres.word import words_at
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
from rightstore.model.place import Place

_LAST, _AFTER_LAST_PLANE = 0x10FFFF, 0xD800


def condition(scope: Scope, asked: Condition) -> str:
    """Return a condition over a body."""
    return _MEANING[type(asked)](scope, asked)


def _all(scope: Scope, asked: And) -> str:
    return f"({' AND '.join(condition(scope, item) for item in asked.items)})"


def _some(scope: Scope, asked: Or) -> str:
    return f"({' OR '.join(condition(scope, item) for item in asked.items)})"


def _not(scope: Scope, asked: Not) -> str:
    return f"({condition(scope, asked.item)} IS NOT TRUE)"


def _compare(scope: Scope, asked: Compare) -> str:
    place, value = asked.place, asked.value
    if value is None:
        is_or_not = "IS" if asked.operator == "==" else "IS NOT"
        return f"({text_at(scope, place)} {is_or_not} NULL)"
    operator = {"==": "=", "!=": "IS DISTINCT FROM"}.get(asked.operator, asked.operator)
    return f"({_valued(scope, place, value)} {operator} {_constant(scope, place, value)})"


def _valued(scope: Scope, place: Place, value: Any) -> str:
    """Return what is at a place, as the type that it is compared as."""
    if place.kind.is_scalar:
        return value_at(scope, place)
    return untyped(*forms_at(scope, place), value)


def _constant(scope: Scope, place: Place, value: Any) -> str:
    """Return a value as a parameter; as a constant where a declaration names it."""
    is_fixed = any(
        stored == place.stored and type(named) is type(value) and named == value
        for stored, named in scope.fixed
    )
    if is_fixed:
        return Constants().add(plain(place.kind, value), type_of(place.kind, value))
    return argument(scope, place.kind, value)


def _exists(scope: Scope, asked: Exists) -> str:
    return f"({text_at(scope, asked.place)} IS NOT NULL)"


def _one_of(scope: Scope, asked: OneOf) -> str:
    """One array of parameters for each type: a free-form field may be asked for several."""
    place = asked.place
    by_type: dict[str, list[Any]] = {}
    for value in asked.values:
        by_type.setdefault(type_of(place.kind, value), []).append(value)
    items = [
        f"{_valued(scope, place, values[0])} = ANY("
        + scope.arguments.add([_text(place, value) for value in values], "text[]")
        + f"::{kind}[])"
        for kind, values in by_type.items()
    ]
    return f"({' OR '.join(items)})" if items else "FALSE"


def _text(place: Place, value: Any) -> str:
    """Return a value as text: of other arrays the driver would have to ask what they are."""
    found = plain(place.kind, value)
    return found if isinstance(found, str) else str(found)


def _starts_with(scope: Scope, asked: StartsWith) -> str:
    """A prefix is a range of code points: an index can serve it, and no sign is a wildcard."""
    value = _valued(scope, asked.place, asked.prefix)
    if not asked.prefix:
        return f"({value} IS NOT NULL)"
    low = f"{value} >= {scope.arguments.add(asked.prefix, 'text')}"
    end = _behind(asked.prefix)
    return f"({low} AND {value} < {scope.arguments.add(end, 'text')})" if end else f"({low})"


def _behind(prefix: str) -> str:
    """Return the first text behind all that start with this one; "" when there is none."""
    stem = prefix.rstrip(chr(_LAST))
    if not stem:
        return ""
    point = ord(stem[-1]) + 1
    # Surrogates are no characters.
    return stem[:-1] + chr(0xE000 if point == _AFTER_LAST_PLANE else point)


def _matches(scope: Scope, asked: Matches) -> str:
    if scope.depth:
        raise UnsupportedError(f"{asked.place}.matches: postgres looks at fields of the entity.")
    if not asked.words:
        return "FALSE"
    words = scope.arguments.add(list(asked.words), "text[]")
    return f"({words_at(scope, asked.place)} @> {words})"


def _has(scope: Scope, asked: Has) -> str:
    """Look into the list; where an index is declared on it, ask that first."""
    place, kind = asked.place, asked.place.kind.of
    inner = scope.inside(f"item_{scope.depth}")
    text, json = f"({inner.body} #>> '{{}}')", inner.body
    if asked.item is None:
        found = f"{text} IS NULL"
    elif kind.is_scalar:
        found = f"{typed(text, json, kind.tag)} = {argument(inner, kind, asked.item)}"
    else:
        found = f"{untyped(text, json, asked.item)} = {argument(inner, kind, asked.item)}"
    whole = _any_item(scope, place, inner, found)
    is_exact = asked.item is not None and kind.tag not in {"decimal", "float"}
    if place.kind.tag == "list" and place.stored in scope.named and is_exact:
        sought = scope.arguments.add(to_json([asked.item]), "jsonb")
        return f"({list_at(scope, place)} @> {sought} AND {whole})"
    return whole


def list_at(scope: Scope, place: Place) -> str:
    """Return a list as an index on it holds it."""
    return f"({json_at(scope, place)})::jsonb"


def _any(scope: Scope, asked: AnyOf) -> str:
    inner = scope.inside(f"item_{scope.depth}")
    is_part = f"json_typeof({inner.body}) = 'object'"
    return _any_item(scope, asked.place, inner, f"{is_part} AND {condition(inner, asked.where)}")


def _any_item(scope: Scope, place: Place, inner: Scope, found: str) -> str:
    value = json_at(scope, place)
    items = f"CASE WHEN json_typeof({value}) = 'array' THEN {value} ELSE '[]' END"
    # Only quoted names and parameters are put together here, as everywhere in this room.
    return (
        f"EXISTS (SELECT FROM json_array_elements({items}) AS list_{scope.depth}({inner.body}) "
        f"WHERE {found})"
    )


_MEANING: Mapping[type[Condition], Callable[[Scope, Any], str]] = {
    And: _all,
    Or: _some,
    Not: _not,
    Compare: _compare,
    Exists: _exists,
    OneOf: _one_of,
    StartsWith: _starts_with,
    Matches: _matches,
    Has: _has,
    AnyOf: _any,
}
