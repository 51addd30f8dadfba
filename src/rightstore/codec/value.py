"""Values to bytes and back, exactly, for what is kept outside a record's own columns.

The form is `v1 ` and JSON. What JSON lacks is an object of one key (`{"$decimal": "1.10"}`); an
object of one key that begins with `$` by itself gets one `$` more. It compresses and encrypts
nothing and keeps no classes of yours.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any, NoReturn
from uuid import UUID

import msgspec

from rightstore.errors import CorruptDataError, UsageError

VERSION = b"v1 "
MAX_NESTING = 100
MAX_INTEGER = 2**63
# The bounds of Decimal128, the narrowest exact decimal among the stores; they also keep a hostile
# exponent from becoming gigabytes of zeros in the first sum.
MAX_DIGITS = 34
MIN_EXPONENT, MAX_EXPONENT = -6176, 6111

_DECIMAL = Context(prec=MAX_DIGITS, capitals=1, traps=[InvalidOperation])
_encoder = msgspec.json.Encoder()
_canonical_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder()


class _RefusedError(Exception):
    """Why a value cannot be kept; each container that it passes on its way up adds a step."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str] = []


def encode(value: object) -> bytes:
    """Return the bytes of a value; UsageError names the place (never the value) that has none.

    Kept exactly: None, bool, int of 64 bits, finite float, str (U+0000 too), Decimal within the
    bounds of Decimal128, datetime with a zone, date, time without one, timedelta, bytes, UUID, and
    lists and dicts of these, nested at most 100 deep, with str keys in their order. Three things
    change: a tuple comes back as a list, a datetime in UTC (to the microsecond), a driver's own
    kind of UUID as a plain one. Any other subclass would come back as something else: refused.
    """
    return VERSION + _encoder.encode(_packed(value))


def canonical(value: object) -> bytes:
    """Return bytes that are the same for the same value whatever the order of its keys: for hashes.

    1, 1.0 and Decimal("1.0") are three values.
    """
    return VERSION + _canonical_encoder.encode(_packed(value))


def decode(data: bytes, *, store: str = "unknown", operation: str = "decode") -> Any:
    """Return the value that these bytes were made from, or raise CorruptDataError and nothing else.

    `store` and `operation` say in the error where the bytes came from.
    """
    try:
        if not data.startswith(VERSION):
            raise _RefusedError("they do not begin with a version tag that it knows")
        return _unpack(_decoder.decode(data[len(VERSION) :]), 0)
    except _RefusedError as refusal:
        corrupt(store, operation, refusal.reason)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        corrupt(store, operation, "what follows the version tag is not JSON")


def corrupt(store: str, operation: str, reason: str) -> NoReturn:
    """Raise the one error that unreadable bytes give."""
    raise CorruptDataError(
        f"The bytes that {operation} read from {store} cannot be decoded: {reason}; upgrade if a "
        "newer version wrote them, otherwise restore them from their source.",
        store=store,
        operation=operation,
        outcome="not applied",
    ) from None


def _packed(value: object) -> object:
    try:
        return _pack(value, 0)
    except _RefusedError as refusal:
        place = "$" + "".join(reversed(refusal.steps))
        raise UsageError(f"The value at {place} cannot be kept: {refusal.reason}.") from None


def _pack(value: Any, depth: int) -> object:
    kind = type(value)
    if kind in _CHECK:
        return _CHECK[kind](value)
    if kind in _TAG_OF:
        tag, pack = _TAG_OF[kind]
        return {tag: pack(value)}
    if kind is dict or kind is list or kind is tuple:
        if depth == MAX_NESTING:
            raise _RefusedError(f"it is nested more than {MAX_NESTING} deep, or contains itself")
        return (_pack_dict if kind is dict else _pack_list)(value, depth)
    if value is None or kind is bool:
        return value
    if isinstance(value, UUID):
        return {"$uuid": str(value)}
    raise _RefusedError(f"{kind.__qualname__} is not a kind of value that can be kept")


def _pack_list(values: list[Any] | tuple[Any, ...], depth: int) -> list[object]:
    packed: list[object] = []
    try:
        for value in values:
            # No comprehension: the length so far is the place of a refusal.
            packed.append(_pack(value, depth + 1))  # noqa: PERF401 - see above
    except _RefusedError as refusal:
        refusal.steps.append(f"[{len(packed)}]")
        raise
    return packed


def _pack_dict(values: dict[Any, Any], depth: int) -> dict[str, object]:
    packed: dict[str, object] = {}
    try:
        for key, value in values.items():
            if type(key) is not str:
                raise _RefusedError("a key must be a str")
            packed[_pack_str(key)] = _pack(value, depth + 1)
    except _RefusedError as refusal:
        refusal.steps.append(_step(list(values)[len(packed)], len(packed)))
        raise
    if len(packed) == 1 and key.startswith("$"):
        return {f"${key}": packed[key]}
    return packed


def _step(key: object, position: int) -> str:
    """Name a key by itself when it looks like a field, else by its place: it may be personal."""
    if isinstance(key, str) and key.isascii() and key.isidentifier() and len(key) <= 64:
        return f".{key}"
    return f".(key {position})"


def _pack_int(value: int) -> int:
    if not -MAX_INTEGER <= value < MAX_INTEGER:
        raise _RefusedError("an int must fit 64 bits; keep a larger one as a str")
    return value


def _pack_float(value: float) -> float:
    if not math.isfinite(value):
        raise _RefusedError("a float must be finite")
    return value


def _pack_str(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _RefusedError("a str must not contain lone surrogates") from None
    return value


def _pack_decimal(value: Decimal) -> str:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise _RefusedError("a Decimal must be finite")
    if len(digits) > MAX_DIGITS or not MIN_EXPONENT <= exponent <= MAX_EXPONENT:
        raise _RefusedError(
            f"a Decimal has at most {MAX_DIGITS} digits and an exponent from {MIN_EXPONENT} to "
            f"{MAX_EXPONENT}"
        )
    return _DECIMAL.to_sci_string(value)


def _pack_datetime(value: datetime) -> str:
    if value.utcoffset() is None:
        raise _RefusedError("a datetime must have a zone")
    try:
        return value.astimezone(UTC).isoformat()
    except OverflowError:
        raise _RefusedError("a datetime must be within the years 1 to 9999 in UTC") from None


def _pack_time(value: time) -> str:
    if value.tzinfo is not None:
        raise _RefusedError("a time must have no zone: without a date an offset means nothing")
    return value.isoformat()


def _pack_timedelta(value: timedelta) -> str:
    return f"{value.days} {value.seconds} {value.microseconds}"


def _unpack_timedelta(text: str) -> timedelta:
    days, seconds, microseconds = map(int, text.split(" "))
    return timedelta(days, seconds, microseconds)


def _unpack_bytes(text: str) -> bytes:
    return b64decode(text, validate=True)


# What JSON lacks: the tag of each type, and its text both ways.
_TAGGED: dict[str, tuple[type, Callable[[Any], str], Callable[[str], object]]] = {
    "$decimal": (Decimal, _pack_decimal, lambda text: Decimal(text, _DECIMAL)),
    "$datetime": (datetime, _pack_datetime, datetime.fromisoformat),
    "$date": (date, date.isoformat, date.fromisoformat),
    "$time": (time, _pack_time, time.fromisoformat),
    "$timedelta": (timedelta, _pack_timedelta, _unpack_timedelta),
    "$bytes": (bytes, lambda value: b64encode(value).decode(), _unpack_bytes),
    "$uuid": (UUID, str, UUID),
}
_TAG_OF = {kind: (tag, pack) for tag, (kind, pack, _) in _TAGGED.items()}
_CHECK: dict[type, Callable[[Any], object]] = {
    int: _pack_int,
    float: _pack_float,
    str: _pack_str,
}
_VISITED = frozenset({int, list, dict})


def _unpack(value: Any, depth: int) -> Any:
    """Put back, in place, what JSON lacks; `value` is fresh from the decoder and nobody else's."""
    kind = type(value)
    if kind is int:
        return _pack_int(value)
    if kind is dict and len(value) == 1:
        [(key, item)] = value.items()
        if key.startswith("$$"):
            value = {key[1:]: item}
        elif key.startswith("$"):
            return _unpack_tagged(key, item)
    return _unpack_items(value, depth) if kind in _VISITED else value


def _unpack_items(values: Any, depth: int) -> Any:
    if depth == MAX_NESTING:
        raise _RefusedError(f"they are nested more than {MAX_NESTING} deep")
    for place, item in values.items() if type(values) is dict else enumerate(values):
        if type(item) in _VISITED:
            values[place] = _unpack(item, depth + 1)
    return values


def _unpack_tagged(tag: str, text: object) -> object:
    """Read one tagged value; only the very text that we write is taken, so forms stay unique."""
    if tag in _TAGGED and isinstance(text, str):
        _, pack, unpack = _TAGGED[tag]
        try:
            value = unpack(text)
            if pack(value) == text:
                return value
        except (ValueError, OverflowError, InvalidOperation, _RefusedError):
            pass
    raise _RefusedError("they hold a tagged value that it does not know")
