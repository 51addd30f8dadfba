"""The body of a record as JSON text, and back: exact in both directions. It knows no SQL.

The text is kept as it is (column type json): the order of keys and the point of 1.0 survive. A
Decimal, datetime, date or UUID is a JSON string.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, TypedDict
from uuid import UUID

import msgspec

from rightstore.errors import CorruptDataError
from rightstore.model.declaration import Declaration
from rightstore.model.kind import Kind, Tag
from rightstore.model.member import members_of

_SCALARS: dict[Tag, type[Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "decimal": Decimal,
    "datetime": datetime,
    "date": date,
    "uuid": UUID,
}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def to_json(data: Any) -> str:
    """Return a value in stored form as JSON text."""
    return _encode(data).decode()


def text_of(value: Any) -> str:
    """Return the text that a datetime, date or UUID has in a body."""
    found: str = msgspec.to_builtins(value)
    return found


@cache
def _shape(kind: Kind, rename: str | None) -> Any:
    """Return the type that the fields of a part or an entity decode to: a plain dict."""
    members = members_of(kind.python).values()
    fields = {member.stored(rename): _type(member.kind, rename) for member in members}
    # Known to msgspec by its own name, which two parts of one name must not share.
    return TypedDict(f"{kind.python.__name__}_{id(kind.python)}", fields, total=False)  # type: ignore[operator]  # made at run time


def _type(kind: Kind, rename: str | None) -> Any:
    found: type[Any] | UnionType | Any = Any
    if kind.tag == "part":
        found = _shape(Kind("part", python=kind.python), rename)
    elif kind.tag == "list":
        found = list[_type(kind.of, rename)]  # type: ignore[misc]  # made at run time
    elif kind.tag == "dict":
        found = dict[str, _type(kind.of, rename)]  # type: ignore[misc]  # made at run time
    elif kind.is_scalar:
        found = _SCALARS[kind.tag]
    return found | None if kind.optional and found is not Any else found


def decoder_of(declaration: Declaration) -> Callable[[str, int], dict[str, Any]]:
    """Return the function (text, schema it was stored with) -> data in stored form."""
    shape = _shape(Kind("part", python=declaration.entity), declaration.rename)
    typed = msgspec.json.Decoder(shape).decode
    types = shape.__annotations__
    declared = declaration.schema

    def decode(text: str, schema: int) -> dict[str, Any]:
        if schema == declared:
            try:
                found: dict[str, Any] = typed(text)
            except msgspec.ValidationError:
                pass
            else:
                return found
        # Of another schema, or not as declared: what reads the record judges what does not fit.
        return {
            name: _converted(value, types[name]) if name in types else value
            for name, value in _plain(declaration, text).items()
        }

    return decode


def _plain(declaration: Declaration, text: str) -> dict[str, Any]:
    try:
        found = _decode(text)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        raise CorruptDataError(
            f"A record of {declaration.name} in postgres is no JSON object: correct its body.",
            store="postgres",
            operation="read",
            outcome="not applied",
        )
    return found


def _converted(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return value


def value_from(text: str | None) -> Any:
    """Return a value of a body that was selected by itself; its scalars may be JSON text."""
    return None if text is None else _decode(text)


def sortable(moment: datetime) -> str:
    """Return a moment as the text that stands for it in comparisons: it sorts as moments do."""
    return text_of(moment).removesuffix("Z")


def moment_from(text: str) -> datetime:
    """Return the moment that such a text stands for."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
