"""Places of a record as SQL expressions over its body, and the parameters that go with them.

The same place is the same text in a query and in an index, so that the planner recognises it. An
expression is NULL where the value is None or has another type; none of them ever raises.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from rightstore.adapters.postgres.body import sortable, text_of
from rightstore.adapters.postgres.identifier import literal
from rightstore.model.declaration import Declaration
from rightstore.model.kind import Kind, Tag
from rightstore.model.member import rename_of
from rightstore.model.place import Place, into, root
from rightstore.model.query import equalities

# What the SQL type of a scalar is. Moments compare as the text that they are kept as.
TYPES: dict[Tag, str] = {
    "str": "text",
    "date": "text",
    "datetime": "text",
    "uuid": "text",
    "int": "numeric",
    "decimal": "numeric",
    "float": "float8",
    "bool": "boolean",
}
# Floats that are written with an exponent and may be equal to an int of 64 bits; their least is
# written as more than it is.
_LONG, _LEAST, _MOST = 1e16, -9223372036854776000, 2**63 - 1
DECIMAL = r"'^-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]{1,4})?$'"


class Arguments(Protocol):
    """Where the values of a statement go."""

    def add(self, value: Any, kind: str) -> str:
        """Take a value of an SQL type; return what stands for it in the text."""
        ...


class Parameters:
    """The values of a statement, as its parameters in order."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: Any, kind: str) -> str:
        """Take a value; return its parameter."""
        self.values.append(value)
        return f"${len(self.values)}::{kind}"


class Constants:
    """The values of a declaration, written into the text: an index has no parameters."""

    def add(self, value: Any, kind: str) -> str:
        """Return a value as a constant."""
        if kind == "boolean":
            return "TRUE" if value else "FALSE"
        return f"{literal(str(value))}::{kind}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What places are looked up in: a body, and the arguments of the statement around it.

    `key` is the field that the column `key` holds as it is, `namespace` the quoted schema. `named`
    are the places whose free-form keys a declaration names, `fixed` the equalities that it names:
    these are written as constants.
    """

    arguments: Arguments
    body: str = "body"
    key: str | None = None
    namespace: str | None = None
    named: Collection[tuple[str, ...]] = ()
    fixed: Collection[tuple[tuple[str, ...], Any]] = ()
    depth: int = field(default=0)

    def inside(self, item: str) -> "Scope":
        """Return the scope of an item of a list."""
        return Scope(self.arguments, item, depth=self.depth + 1)

    def of_body(self, body: str) -> "Scope":
        """Return the same scope for a body that lies elsewhere than in the row."""
        return replace(self, body=body, key=None)


@dataclass(frozen=True, slots=True)
class _Named:
    """What a declaration names: the same for every statement about its entity."""

    key: str | None
    places: frozenset[tuple[str, ...]]
    fixed: tuple[tuple[tuple[str, ...], Any], ...]


_known: WeakKeyDictionary[type[Any], _Named] = WeakKeyDictionary()


def scope_of(declaration: Declaration, namespace: str, arguments: Arguments) -> Scope:
    """Return the scope of the rows of an entity's table, in a schema that is quoted."""
    named = _known.get(declaration.entity)
    if named is None:
        named = _known[declaration.entity] = _named(declaration)
    return Scope(
        arguments, key=named.key, namespace=namespace, named=named.places, fixed=named.fixed
    )


def _named(declaration: Declaration) -> _Named:
    [first, *more] = declaration.key
    is_text = not more and declaration.fields[first].kind.tag in {"str", "uuid"}
    paths = [path for index in declaration.indexes for path, _ in index.columns]
    wishes = [index.where for index in declaration.indexes]
    if declaration.retain:
        paths.append(declaration.retain.since)
        wishes.append(declaration.retain.where)
    asked: list[Any] = [it for where in wishes for it in equalities(declaration, where)]
    places = {declaration.place(path).stored for path in paths} | {it.place.stored for it in asked}
    fixed = tuple((it.place.stored, it.value) for it in asked)
    return _Named(first if is_text else None, frozenset(places), fixed)


def json_at(scope: Scope, place: Place) -> str:
    """Return a place as json."""
    return _json(scope, _steps(scope, place))


def text_at(scope: Scope, place: Place) -> str:
    """Return a place as text; of a text without its quotes. NULL for null and for nothing."""
    return forms_at(scope, place)[0]


def forms_at(scope: Scope, place: Place) -> tuple[str, str]:
    """Return a place as text and as json, with the same arguments: none is left without a use."""
    steps = _steps(scope, place)
    if scope.key is not None and place.steps == (scope.key,):
        return "key", _json(scope, steps)
    return f"({_json(scope, steps[:-1])}->>{steps[-1]})", _json(scope, steps)


def _json(scope: Scope, steps: Sequence[str]) -> str:
    return "".join([scope.body, *(f"->{step}" for step in steps)])


def _steps(scope: Scope, place: Place) -> list[str]:
    """Return the keys on the way: declared names as constants, free-form ones as parameters."""
    is_named = place.stored in scope.named
    found, at = [], root(place.owner)
    for step, stored in zip(place.steps, place.stored, strict=True):
        is_free = at.kind.tag != "part" and not is_named
        found.append(scope.arguments.add(stored, "text") if is_free else literal(stored))
        at = into(at, step, rename_of(place.owner))
    return found


def typed(text: str, json: str, tag: Tag) -> str:
    """Return a value, given as text and as json, as an expression of its declared type."""
    if tag == "bool":
        return f"({text} = 'true')"
    if tag == "decimal":
        return f"(CASE WHEN {text} ~ {DECIMAL} THEN {text}::numeric END)"
    if tag in {"int", "float"}:
        return f"(CASE WHEN json_typeof({json}) = 'number' THEN {text}::{TYPES[tag]} END)"
    if tag == "datetime":
        text = f"rtrim({text}, 'Z')"
    return f'({text} COLLATE "C")'


def value_at(scope: Scope, place: Place) -> str:
    """Return the value at a place of a scalar kind."""
    text, json = forms_at(scope, place)
    return text if text == "key" else typed(text, json, place.kind.tag)


def untyped(text: str, json: str, value: Any) -> str:
    """Return a free-form value as an expression of the type of this value, NULL for another."""
    if type(value) is bool:
        return f"(CASE WHEN json_typeof({json}) = 'boolean' THEN {text} = 'true' END)"
    if isinstance(value, str):
        return f"(CASE WHEN json_typeof({json}) = 'string' THEN {text} END COLLATE \"C\")"
    # A large float is written shorter than it is: 2.0**62 as 4.611686018427388e18.
    return (
        f"(CASE WHEN json_typeof({json}) <> 'number' THEN NULL WHEN {text} ~ '[eE]' "
        f"AND abs({text}::numeric) >= {_LONG:.0e} AND {text}::numeric BETWEEN {_LEAST} AND {_MOST} "
        f"THEN {text}::float8::bigint::numeric ELSE {text}::numeric END)"
    )


def argument(scope: Scope, kind: Kind, value: Any) -> str:
    """Return a value to compare with, in stored form, as an argument of its type."""
    if type(value) is bool:
        return Constants().add(value, "boolean")
    return scope.arguments.add(plain(kind, value), type_of(kind, value))


def type_of(kind: Kind, value: Any) -> str:
    """Return the SQL type of a value of a kind."""
    if kind.is_scalar:
        return TYPES[kind.tag]
    if type(value) is bool:
        return "boolean"
    return "text" if isinstance(value, str) else "numeric"


def plain(kind: Kind, value: Any) -> Any:
    """Return a value in stored form as the driver takes it for the type of its kind."""
    if kind.tag == "datetime":
        return sortable(value)
    if kind.tag in {"date", "uuid"}:
        return text_of(value)
    if isinstance(value, float) and kind.tag != "float":
        is_exact = abs(value) >= _LONG and -(2**63) <= value < 2**63
        return Decimal(value) if is_exact else Decimal(repr(value))
    return value
