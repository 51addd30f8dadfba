"""Scalars as OpenSearch filters, sorts and counts them without losing a digit, and back.

A Decimal and a number of a free-form field become text that sorts as the number does: a double
keeps 15 digits only. Of a text longer than MAX_KEYWORD the rest counts by its digest: it is still
equal to itself only, but sorts and starts like its beginning.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from rightstore.model.kind import Tag

MAX_KEYWORD = 4_000
TYPES: Mapping[Tag, str] = {
    "str": "keyword",
    "int": "long",
    "float": "double",
    "bool": "boolean",
    "decimal": "keyword",
    "datetime": "long",
    "date": "keyword",
    "uuid": "keyword",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MIDDLE = 10_000
_NINES = str.maketrans("0123456789", "9876543210")


def sortable(number: Decimal | float) -> str:
    """Return text that sorts by code points as numbers do; equal numbers give equal text."""
    value = Decimal(number)
    if not value:
        return "1"
    digits = "".join(map(str, value.as_tuple().digits)).rstrip("0")
    text = f"{value.adjusted() + _MIDDLE:05d}{digits}"
    # The end of a negative one is above every digit: -1.2 comes after -1.23.
    return f"0{text.translate(_NINES)}~" if value < 0 else f"2{text}"


def number_of(text: str) -> Decimal:
    """Return the number that was made sortable, without the zeros at its end."""
    if text == "1":
        return Decimal(0)
    plain = text[1:-1].translate(_NINES) if text[0] == "0" else text[1:]
    exponent, digits = int(plain[:5]) - _MIDDLE, plain[5:]
    value = Decimal((0, tuple(map(int, digits)), exponent - len(digits) + 1))
    # Unary minus would round.
    return value.copy_negate() if text[0] == "0" else value


def keyword(text: str) -> str:
    """Return a text that fits a keyword."""
    if len(text) <= MAX_KEYWORD:
        return text
    rest = blake2b(text.encode(), digest_size=16).hexdigest()
    # No text has U+0000.
    return f"{text[:MAX_KEYWORD]}\0{rest}"


def milliseconds(moment: datetime) -> int:
    """Return a moment as a number."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(number: float) -> datetime:
    """Return a moment from its number."""
    return _EPOCH + int(number) * _MILLISECOND


_ENCODE: Mapping[Tag, tuple[type[Any], Callable[[Any], Any]]] = {
    "str": (str, keyword),
    "int": (int, lambda value: value),
    "float": (float, lambda value: value),
    "bool": (bool, lambda value: value),
    "decimal": (Decimal, sortable),
    "datetime": (datetime, milliseconds),
    "date": (date, date.isoformat),
    "uuid": (UUID, str),
}
_DECODE: Mapping[Tag, Callable[[Any], Any]] = {
    "str": lambda text: text.partition("\0")[0],
    "int": int,
    "float": float,
    "bool": bool,
    "decimal": number_of,
    "datetime": moment_of,
    "date": date.fromisoformat,
    "uuid": UUID,
}
# The kind of a value in a token; two kinds are never equal, and the next letter ends a range.
_LETTERS: Mapping[type[Any], tuple[str, Callable[[Any], str]]] = {
    bool: ("b", str),
    date: ("d", date.isoformat),
    int: ("n", sortable),
    float: ("n", sortable),
    Decimal: ("n", sortable),
    str: ("s", keyword),
    datetime: ("t", lambda moment: f"{milliseconds(moment) + 10**15:020d}"),
    UUID: ("u", str),
}


def encoded(tag: Tag, value: Any) -> Any:
    """Return a scalar of this kind as it is indexed; None for a value of another (older) one."""
    python, encode = _ENCODE[tag]
    return encode(value) if type(value) is python else None


def decoded(tag: Tag, value: Any) -> Any:
    """Return a scalar in stored form from what it was indexed as."""
    return _DECODE[tag](value)


def token(value: Any) -> str:
    """Return a scalar as the end of a token, its kind first; None has a kind of its own."""
    if value is None:
        return "0"
    letter, encode = _LETTERS[type(value)]
    return letter + encode(value)
