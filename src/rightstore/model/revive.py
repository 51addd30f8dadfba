"""Values from the form that is stored; it also takes the JSON text of a scalar, as caches hold it.

It owns what it is given: free-form values are passed on, not copied.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any
from uuid import UUID

from rightstore.model.kind import Kind, Tag
from rightstore.model.member import Member, members_of
from rightstore.model.scalar import RefusedError, wrong_type

Decode = Callable[[Any], Any]


@cache
def decoder(kind: Kind, rename: str | None) -> Decode:
    """Return the function stored form -> value; RefusedError says what does not fit."""
    inner = _decoder(kind, rename)
    if not kind.optional:
        return inner
    return lambda value: None if value is None else inner(value)


def _decoder(kind: Kind, rename: str | None) -> Decode:
    if kind.tag == "part":
        return PartDecoder(kind.python, rename)
    if kind.tag == "list":
        return _list_decoder(kind, rename)
    if kind.tag == "dict":
        return _dict_decoder(kind, rename)
    if kind.options and issubclass(kind.python, Enum):
        return _enum_decoder(kind.python)
    return _DECODE[kind.tag]


class PartDecoder:
    """Makes parts and records; their fields are looked up at the first one."""

    def __init__(self, python: type[Any], rename: str | None) -> None:
        self._python, self._rename = python, rename
        self._table: list[_Field] | None = None
        self._is_simple = not hasattr(python, "__post_init__")

    def __call__(self, stored: Any) -> Any:  # noqa: D102 - the class says it
        if not self._is_simple:
            values: dict[str, Any] = {}
            self._fill(values, stored)
            return self._python(**values)
        made = object.__new__(self._python)
        # Written at once to where they belong, also in a frozen one.
        self._fill(made.__dict__, stored)
        return made

    def _fill(self, done: dict[str, Any], stored: Any) -> None:
        """Set the values by attribute name; what an older record lacks gets its default."""
        if type(stored) is not dict and not isinstance(stored, Mapping):
            raise wrong_type(self._python.__name__, stored)
        if self._table is None:
            self._table = self._fields()
        attribute = ""
        try:
            for attribute, name, exact, decode, member in self._table:
                if name not in stored:
                    done[attribute] = default(member)
                    continue
                value = stored[name]
                # The store has made the very value of most fields: a call less for each.
                done[attribute] = value if type(value) is exact else decode(value)
        except RefusedError as refusal:
            refusal.steps.append(f".{attribute}")
            raise

    def _fields(self) -> "list[_Field]":
        return [
            (
                name,
                member.stored(self._rename),
                exact_type(member.kind),
                decoder(member.kind, self._rename),
                member,
            )
            for name, member in members_of(self._python).items()
        ]


# Attribute, stored name, the type whose values stay as they are, the function for others, member.
_Field = tuple[str, str, type[Any] | None, Decode, Member]


def exact_type(kind: Kind) -> type[Any] | None:
    """Return the type whose values are their own stored form; None when there is none."""
    is_enum = bool(kind.options) and issubclass(kind.python, Enum)
    return None if is_enum else _EXACT.get(kind.tag)


def default(member: Member) -> Any:
    """Return what a record without this field has."""
    if member.default is not MISSING:
        return member.default
    if member.default_factory is not MISSING:
        return member.default_factory()
    if member.kind.optional:
        return None
    raise RefusedError("it is missing; give the field a default, or an upgrade that fills it")


def _list_decoder(kind: Kind, rename: str | None) -> Decode:
    decode, exact = decoder(kind.of, rename), exact_type(kind.of)
    whole = tuple if kind.python is tuple else list

    def decode_list(value: Any) -> Any:
        if not isinstance(value, list):
            raise wrong_type(kind, value)
        done: list[Any] = []
        try:
            for item in value:
                # No comprehension: the length so far is the place of a refusal.
                done.append(item if type(item) is exact else decode(item))  # noqa: PERF401 - see above
        except RefusedError as refusal:
            refusal.steps.append(f"[{len(done)}]")
            raise
        return whole(done)

    return decode_list


def _dict_decoder(kind: Kind, rename: str | None) -> Decode:
    decode = decoder(kind.of, rename)

    def decode_dict(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise wrong_type(kind, value)
        return {key: decode(item) for key, item in value.items()}

    return decode_dict


def _enum_decoder(python: type[Enum]) -> Decode:
    by_value = {member.value: member for member in python}

    def decode_enum(value: Any) -> Enum:
        if type(value) not in (str, int) or value not in by_value:
            raise RefusedError(
                f"it is no {python.__name__}; add the option, or upgrade the records"
            )
        return by_value[value]

    return decode_enum


def _exact(python: type[Any]) -> Decode:
    def decode(value: Any) -> Any:
        if type(value) is not python:
            raise wrong_type(python.__name__, value)
        return value

    return decode


def _number(value: Any) -> float:
    # JSON in a store may have lost the point of 1.0.
    if type(value) is not float and type(value) is not int:
        raise wrong_type("float", value)
    return float(value)


def _from_text(python: type[Any], read: Callable[[str], Any]) -> Decode:
    def decode(value: Any) -> Any:
        if type(value) is python:
            return value
        if isinstance(value, str):
            try:
                return read(value)
            except (ValueError, InvalidOperation):
                raise RefusedError(f"it is no text of a {python.__name__}") from None
        raise wrong_type(python.__name__, value)

    return decode


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise RefusedError("its text has no zone")
    return moment.astimezone(UTC)


def _decimal(value: Any) -> Decimal:
    return Decimal(value) if type(value) is int else _decimal_text(value)


_EXACT: dict[Tag, type[Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "decimal": Decimal,
    "datetime": datetime,
    "date": date,
    "uuid": UUID,
}
_decimal_text = _from_text(Decimal, Decimal)
_DECODE: dict[Tag, Decode] = {
    "str": _exact(str),
    "int": _exact(int),
    "float": _number,
    "bool": _exact(bool),
    "decimal": _decimal,
    "datetime": _from_text(datetime, _moment),
    "date": _from_text(date, date.fromisoformat),
    "uuid": _from_text(UUID, UUID),
    "any": lambda value: value,
}
