"""Values to BSON and back: types that it lacks, keys that its paths and operators would take.

A key that is empty, has a dot, or begins with `$` or U+0001 is stored behind a mark and without
dots: no stored key is a path, an operator or a reference (`$ref`, which the driver would follow).
Keys in queries are never such: `model.place` refuses them. It knows no record.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date
from decimal import Decimal
from functools import cache
from typing import Any

from bson import Decimal128, Int64
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, TypeDecoder, TypeEncoder, TypeRegistry
from bson.raw_bson import RawBSONDocument

from rightstore.model.kind import Kind
from rightstore.model.member import members_of

# Two characters, so that the bytes of documents without it seldom have it by chance.
_MARK, _DOT, _MARKED_DOT, _MARKED = "\x01~", ".", "\x02\x02", "\x02\x03"
MARK: bytes = _MARK.encode()
Mend = Callable[[Any], Any]


class _IntegerDecoder(TypeDecoder):
    """A BSON int of 64 bits is a plain int."""

    bson_type = Int64
    # The built-in itself: one call less for each value.
    transform_bson = int  # type: ignore[assignment]  # a function of one value to the driver


class _DecimalDecoder(TypeDecoder):
    """A Decimal128 is a Decimal."""

    bson_type = Decimal128
    transform_bson = staticmethod(Decimal128.to_decimal)  # type: ignore[assignment]  # so is this


class _DecimalEncoder(TypeEncoder):
    """A Decimal is a Decimal128."""

    python_type = Decimal
    transform_python = Decimal128


class _DateEncoder(TypeEncoder):
    """A date is its text, which sorts as dates do; the declaration tells it from a text."""

    python_type = date
    transform_python = staticmethod(date.isoformat)  # type: ignore[assignment]  # and this


CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    tzinfo=UTC,
    uuid_representation=UuidRepresentation.STANDARD,
    type_registry=TypeRegistry(
        [_IntegerDecoder(), _DecimalDecoder(), _DecimalEncoder(), _DateEncoder()]
    ),
)
# The driver applies a type registry to the documents of its own methods only: to those in the
# answer of a command `Layout.opened` applies it.
RAW: CodecOptions[RawBSONDocument] = CODEC.with_options(
    document_class=RawBSONDocument,
    type_registry=TypeRegistry([_DecimalEncoder(), _DateEncoder()]),
)


def escaped(value: Any) -> Any:
    """Return a copy of a value with keys that can be stored."""
    if isinstance(value, dict):
        return {_escaped(key): escaped(item) for key, item in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


def unescaped(value: Any) -> Any:
    """Return a stored value with the keys that it had."""
    if isinstance(value, dict):
        return {_unescaped(key): unescaped(item) for key, item in value.items()}
    return [unescaped(item) for item in value] if isinstance(value, list) else value


def _escaped(key: str) -> str:
    if key and key[0] not in "$\x01" and _DOT not in key:
        return key
    return _MARK + key.replace("\x02", _MARKED).replace(_DOT, _MARKED_DOT)


def _unescaped(key: str) -> str:
    if not key.startswith(_MARK):
        return key
    return key[len(_MARK) :].replace(_MARKED_DOT, _DOT).replace(_MARKED, "\x02")


@cache
def encoder(kind: Kind, rename: str | None) -> Mend | None:
    """Return what makes a value of a kind fit to be stored; None when it is as it is."""
    return _mender(kind, _Mending(rename, escaped, None))


@cache
def decoder(kind: Kind, rename: str | None) -> Mend | None:
    """Return what brings a stored value of a kind back; None when it is as it is."""
    return _mender(kind, _Mending(rename, unescaped, _dated))


@cache
def dater(kind: Kind, rename: str | None) -> Mend | None:
    """Return what brings only the dates in a stored value back; None when there are none."""
    return _mender(kind, _Mending(rename, None, _dated))


@dataclass(frozen=True, slots=True)
class _Mending:
    """What is done to free-form values, and to dates."""

    rename: str | None
    free: Mend | None
    day: Mend | None


def _dated(value: Any) -> Any:
    with suppress(TypeError, ValueError):
        return date.fromisoformat(value)
    return value


def _mender(kind: Kind, mending: _Mending) -> Mend | None:
    if not _concerns(kind, mending, frozenset()):
        return None
    if kind.tag == "date":
        return mending.day
    if kind.tag == "part":
        return _PartMender(kind.python, mending)
    if kind.tag == "list":
        inner = _mender(kind.of, mending)
        return inner and _each(inner)
    # What is free mends all that is below, so only dates are left to do there.
    dates = _mender(kind.of, replace(mending, free=None)) if kind.item else None
    return _both(mending.free, dates and _values(dates))


def _concerns(kind: Kind, mending: _Mending, above: frozenset[type[Any]]) -> bool:
    """Tell whether there is anything to mend in values of a kind; a part may contain itself."""
    if kind.tag == "part":
        members = () if kind.python in above else members_of(kind.python).values()
        return any(_concerns(it.kind, mending, above | {kind.python}) for it in members)
    if kind.tag == "date":
        return mending.day is not None
    is_free = kind.tag in {"any", "dict"} and mending.free is not None
    return is_free or (kind.item is not None and _concerns(kind.item, mending, above))


class _PartMender:
    """Mends the fields of a part; they are looked up at the first one."""

    def __init__(self, python: type[Any], mending: _Mending) -> None:
        self._python, self._mending = python, mending
        self._table: dict[str, Mend] | None = None

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if self._table is None:
            self._table = dict(self._menders())
        table = self._table
        return {name: table[name](item) if name in table else item for name, item in value.items()}

    def _menders(self) -> Iterator[tuple[str, Mend]]:
        for member in members_of(self._python).values():
            mend = _mender(member.kind, self._mending)
            if mend:
                yield member.stored(self._mending.rename), mend


def _both(first: Mend | None, second: Mend | None) -> Mend | None:
    if first is None or second is None:
        return first or second
    one, two = first, second
    return lambda value: two(one(value))


def _each(inner: Mend) -> Mend:
    return lambda value: [inner(item) for item in value] if isinstance(value, list) else value


def _values(inner: Mend) -> Mend:
    return lambda value: (
        {key: inner(item) for key, item in value.items()} if isinstance(value, dict) else value
    )
