"""Edits as SQL over a body: the order of its keys and every value beside them stay as they are.

A statement edits only what surely fits. Where it does not, it gives the old record, and
`model.evaluate` tells why, or makes the edit that this room does not.
"""
# ruff: noqa: S608 - quoted names, expressions of this room and parameters only

from collections.abc import Mapping, Sequence
from typing import Any

from rightstore.adapters.postgres.body import to_json
from rightstore.adapters.postgres.expression import DECIMAL, Scope, plain
from rightstore.adapters.postgres.identifier import literal
from rightstore.model.edit import Add, Edit, Push, Set
from rightstore.model.scalar import MAX_DIGITS, MAX_INTEGER

_END = 2**31
_FLOATS = ("'-Infinity'::float8", "'Infinity'::float8")


class Editing:
    """The edits of one statement: `fits` holds where `body` is what they make of the old body."""

    def __init__(self, scope: Scope, edits: Sequence[Edit]) -> None:
        self._scope = scope
        self._checks: list[str] = []
        self._names = 0
        self.body: str = self._edited(scope.body, _tree(edits), 0)
        self.fits: str = " AND ".join(self._checks) or "TRUE"

    def _edited(self, old: str, tree: Mapping[str, Any], depth: int) -> str:
        """Return an object with some of its values edited, what it lacked at its end."""
        self._names += 1
        row = f"entry_{self._names}"
        self._checks.append(f"json_typeof({old}) = 'object'")
        cases, more = "", ""
        for place, (name, below) in enumerate(tree.items()):
            step = self._step(name, depth)
            value = self._value(f"{old}->{step}", below, depth + 1)
            cases += f" WHEN {step} THEN {value}"
            more += f" UNION ALL SELECT {step}, NULL, {_END + place} WHERE {old}->{step} IS NULL"
        return (
            f"(SELECT json_object_agg({row}.k, CASE {row}.k{cases} ELSE {row}.v END "
            f"ORDER BY {row}.n) FROM (SELECT k, v, n FROM json_each({old}) "
            f"WITH ORDINALITY AS e(k, v, n){more}) AS {row})"
        )

    def _step(self, name: str, depth: int) -> str:
        """Return a key; the first is a declared name, those below may be a caller's."""
        return f"{literal(name)}::text" if not depth else self._scope.arguments.add(name, "text")

    def _value(self, old: str, below: Any, depth: int) -> str:
        if isinstance(below, dict):
            return self._edited(f"({old})", below, depth)
        if isinstance(below, Set):
            return self._scope.arguments.add(to_json(below.value), "json")
        return self._pushed(f"({old})", below) if isinstance(below, Push) else self._sum(old, below)

    def _sum(self, old: str, edit: Add) -> str:
        """Return the sum as JSON; what leaves the range, or is no number, does not fit."""
        tag = edit.place.kind.tag
        kind = "float8" if tag == "float" else "numeric"
        amount = self._scope.arguments.add(plain(edit.place.kind, edit.amount), kind)
        text = f"(({old}) #>> '{{}}')"
        is_number = f"json_typeof({old}) = 'number'"
        if tag == "decimal":
            is_number = f"json_typeof({old}) = 'string' AND {text} ~ {DECIMAL}"
        number = f"CASE WHEN {text} IS NULL THEN 0 WHEN {is_number} THEN {text}::{kind} END"
        total = f"({number} + {amount})"
        if tag == "decimal":
            digits = f"length(regexp_replace({total}::text, '[-.]', '', 'g'))"
            self._checks.append(f"{digits} <= {MAX_DIGITS}")
            return f"to_json({total}::text)"
        least, most = (-MAX_INTEGER, MAX_INTEGER - 1) if tag == "int" else _FLOATS
        self._checks.append(f"{total} BETWEEN {least} AND {most}")
        return f"to_json({total})"

    def _pushed(self, old: str, edit: Push) -> str:
        """Return a list with an item more; at most so many of its last ones."""
        item = self._scope.arguments.add(to_json(edit.item), "json")
        self._checks.append(
            f"({old} IS NULL OR json_typeof({old}) = 'null' OR json_typeof({old}) = 'array')"
        )
        items = f"CASE WHEN json_typeof({old}) = 'array' THEN {old} ELSE '[]' END"
        limit = "" if edit.keep is None else f" LIMIT {edit.keep:d}"
        return (
            "(SELECT json_agg(i.v ORDER BY i.n) FROM (SELECT v, n FROM (SELECT v, n FROM "
            f"json_array_elements({items}) WITH ORDINALITY AS e(v, n) "
            f"UNION ALL SELECT {item}, {_END}) AS a ORDER BY n DESC{limit}) AS i)"
        )


def _tree(edits: Sequence[Edit]) -> dict[str, Any]:
    """Return the edits by the keys on their way; no two edits of a statement overlap."""
    whole: dict[str, Any] = {}
    for edit in edits:
        at = whole
        *steps, last = edit.place.stored
        for step in steps:
            at = at.setdefault(step, {})
        at[last] = edit
    return whole
