"""Stored values as attribute values of DynamoDB and back, exactly. It knows no item and no key.

Scalars and typed structures are native. What DynamoDB would bend is kept as text in a map with one
name that no field can have: free-form JSON (order of keys, 1.0 against 1, depth) and numbers beyond
its range.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from rightstore.errors import ConstraintError
from rightstore.model.kind import Kind
from rightstore.model.member import members_of

Attribute: TypeAlias = dict[str, Any]
NULL: Attribute = {"NULL": True}
JSON = "$json"
WIDE = "$number"
# DynamoDB nests 32 levels; a wrapped value needs one of them.
MAX_NESTING = 31
LEAST, GREATEST = -130, 125
_PLAIN = Context(prec=50)


class Shape:
    """What the names inside a part (or a record) hold, by stored name."""

    def __init__(self, python: type[Any], rename: str | None) -> None:
        self.rename = rename
        self.kinds: Mapping[str, Kind] = {
            member.stored(rename): member.kind for member in members_of(python).values()
        }


_shapes: dict[tuple[type[Any], str | None], Shape] = {}


def shape_of(python: type[Any], rename: str | None) -> Shape:
    """Return the shape of a part; made once."""
    known = _shapes.get((python, rename))
    if known is None:
        known = _shapes[python, rename] = Shape(python, rename)
    return known


def _kinds(kind: Kind, rename: str | None) -> Mapping[str, Kind]:
    return shape_of(kind.python, rename).kinds if kind.tag == "part" else {}


def is_free(kind: Kind) -> bool:
    """Tell whether values of this kind are kept as JSON text."""
    return kind.tag == "any" or (kind.tag == "dict" and kind.of.tag == "any")


def to_attribute(kind: Kind, value: Any, rename: str | None, depth: int = 1) -> Attribute:
    """Return a value in stored form as DynamoDB keeps it."""
    if value is None:
        return NULL
    if is_free(kind):
        return {"M": {JSON: {"S": msgspec.json.encode(value).decode()}}}
    if depth > MAX_NESTING:
        raise ConstraintError(
            f"dynamodb nests up to {MAX_NESTING} levels: flatten the value, or declare it free-form"
        )
    if isinstance(value, list):
        return {"L": [to_attribute(kind.of, item, rename, depth + 1) for item in value]}
    if isinstance(value, dict):
        return {"M": _to_map(kind, value, rename, depth + 1)}
    return _SCALARS[type(value)](value)


def _to_map(kind: Kind, value: Mapping[str, Any], rename: str | None, depth: int) -> Attribute:
    if "" in value:
        raise ConstraintError("dynamodb has no empty key in a dict: give it a name")
    kinds = _kinds(kind, rename)
    return {
        name: to_attribute(kinds.get(name, kind.of), item, rename, depth)
        for name, item in value.items()
    }


def _integer(value: int) -> Attribute:
    return {"N": str(value)}


def _float(value: float) -> Attribute:
    return _number(Decimal(repr(value)), repr(value))


def _decimal(value: Decimal) -> Attribute:
    return _number(value, str(value))


def _number(value: Decimal, text: str) -> Attribute:
    if not value:
        return {"N": "0"}
    if LEAST <= value.adjusted() <= GREATEST:
        return {"N": text}
    return {"M": {WIDE: {"S": str(_PLAIN.create_decimal(value).normalize(_PLAIN))}}}


def _moment(value: datetime) -> Attribute:
    # All of one length, so that texts sort as moments do.
    return {"S": value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"}


_SCALARS: Mapping[type[Any], Callable[[Any], Attribute]] = {
    bool: lambda value: {"BOOL": value},
    int: _integer,
    float: _float,
    Decimal: _decimal,
    str: lambda value: {"S": value},
    datetime: _moment,
    date: lambda value: {"S": value.isoformat()},
    UUID: lambda value: {"S": str(value)},
}


def from_attribute(kind: Kind, attribute: Mapping[str, Any], rename: str | None) -> Any:
    """Return the stored form of what DynamoDB keeps; what is not of this kind stays as it is."""
    tag, value = next(iter(attribute.items()))
    if tag == "S":
        return _from_text(kind, value)
    if tag == "N":
        return _from_number(kind, value)
    if tag == "M":
        return _from_map(kind, value, rename)
    if tag == "L":
        return [from_attribute(kind.of, item, rename) for item in value]
    return None if tag == "NULL" else value


def _from_text(kind: Kind, text: str) -> Any:
    read = _TEXTS.get(kind.tag)
    if read is None:
        return text
    try:
        return read(text)
    except ValueError:
        # Not written by us: who makes a record of it says what is wrong with it.
        return text


def _from_number(kind: Kind, text: str) -> Any:
    if kind.tag == "float":
        return float(text)
    value = Decimal(text)
    if kind.tag == "decimal" or value != value.to_integral_value():
        return value
    return int(value)


def _from_map(kind: Kind, value: Mapping[str, Any], rename: str | None) -> Any:
    if len(value) == 1 and (kind.tag != "dict" or is_free(kind)):
        if JSON in value:
            return msgspec.json.decode(value[JSON]["S"])
        if WIDE in value:
            return _from_number(kind, value[WIDE]["S"])
    kinds = _kinds(kind, rename)
    return {
        name: from_attribute(kinds.get(name, kind.of), item, rename) for name, item in value.items()
    }


_TEXTS: Mapping[str, Callable[[str], Any]] = {
    "datetime": lambda text: datetime.fromisoformat(text).astimezone(UTC),
    "date": date.fromisoformat,
    "uuid": UUID,
}
