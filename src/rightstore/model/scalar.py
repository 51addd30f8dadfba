"""Single values in the form that is stored: exact, portable, or refused where a store bends them.

Not `codec`'s rules: a datetime is cut to milliseconds here, and U+0000 is refused, because a
document store or a relational one could not keep them.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from rightstore.model.kind import Kind, Tag

MAX_INTEGER = 2**63
# Those of Decimal128, as in `codec`, which is not imported here: it would triple the import time.
MAX_DIGITS = 34
MIN_EXPONENT, MAX_EXPONENT = -6176, 6111


class RefusedError(Exception):
    """Why a value cannot be kept; each container that it passes on its way up adds a step.

    `is_type` tells a value of the wrong type (a mistake in the code) from one out of bounds.
    """

    def __init__(self, reason: str, *, is_type: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_type = is_type
        self.steps: list[str] = []

    @property
    def path(self) -> str:
        """Where the value is, from the outside in."""
        return "".join(reversed(self.steps))


def wrong_type(kind: Kind | str, value: object) -> RefusedError:
    """Return the refusal of a value of another type than the declared one; never show the value."""
    remedy = "give it a value of that type or change the declaration"
    return RefusedError(
        f"it is declared {kind}, not {type(value).__name__}; {remedy}", is_type=True
    )


def scalar(kind: Kind, value: Any, _: int = 0) -> Any:
    """Return the stored form of a value of a scalar kind; None is for the caller."""
    if kind.options:
        return _option(kind, value)
    return ENCODE[kind.tag](value, 0)


def _option(kind: Kind, value: Any) -> str | int:
    if issubclass(kind.python, Enum):
        if type(value) is not kind.python:
            raise wrong_type(kind.python.__name__, value)
        value = value.value
    elif type(value) is not kind.python and isinstance(value, str):
        value = str.__str__(value)
    # By type too: True equals 1.
    if type(value) not in (str, int) or value not in kind.options:
        allowed = ", ".join(map(repr, kind.options))
        raise RefusedError(f"it is none of the declared options: take {allowed}", is_type=True)
    found: str | int = value
    return found


def text(value: Any, _: int = 0) -> str:
    """Return a str that every store keeps."""
    if type(value) is str and value.isascii() and "\0" not in value:
        return value
    if not isinstance(value, str):
        raise wrong_type("str", value)
    if type(value) is not str:
        value = str.__str__(value)
    found: str = value
    if "\0" in value:
        raise RefusedError("U+0000 cannot be stored; strip it")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise RefusedError("a lone surrogate cannot be stored; strip it") from None
    return found


def _integer(value: Any, _: int = 0) -> int:
    if type(value) is int and -MAX_INTEGER <= value < MAX_INTEGER:
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type("int", value)
    if not -MAX_INTEGER <= value < MAX_INTEGER:
        raise RefusedError("an int must fit 64 bits; declare a Decimal or a str")
    return int(value)


def _number(value: Any, _: int = 0) -> float:
    if type(value) is float and math.isfinite(value):
        # Adding zero removes the sign of a zero, which not every store keeps.
        return value + 0.0
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise wrong_type("float", value)
    if isinstance(value, int) and (abs(value) > MAX_INTEGER or float(value) != value):
        raise RefusedError("a float cannot hold this int exactly; declare an int or a Decimal")
    if not math.isfinite(value):
        raise RefusedError("NaN and Infinity cannot be stored; take None")
    return float(value) + 0.0


def _flag(value: Any, _: int = 0) -> bool:
    if type(value) is not bool:
        raise wrong_type("bool", value)
    return value


def _decimal(value: Any, _: int = 0) -> Decimal:
    if type(value) is int:
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise wrong_type("Decimal", value)
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise RefusedError("NaN and Infinity cannot be stored; take None")
    if len(digits) > MAX_DIGITS or not MIN_EXPONENT <= exponent <= MAX_EXPONENT:
        raise RefusedError(f"a Decimal has at most {MAX_DIGITS} digits; round it")
    exact = value if type(value) is Decimal else Decimal(value)
    return exact.copy_abs() if sign and not exact else exact


def _moment(value: Any, _: int = 0) -> datetime:
    if not isinstance(value, datetime):
        raise wrong_type("datetime", value)
    if value.tzinfo is UTC and value.microsecond % 1000 == 0 and type(value) is datetime:
        return value
    if value.utcoffset() is None:
        raise RefusedError("a datetime must have a zone; take now() or add tzinfo", is_type=True)
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        raise RefusedError("a datetime must be within the years 1 to 9999 in UTC") from None
    cut = utc.time().replace(microsecond=utc.microsecond // 1000 * 1000)
    return datetime.combine(utc, cut, UTC)


def _day(value: Any, _: int = 0) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise wrong_type("date", value)
    return value if type(value) is date else date(value.year, value.month, value.day)


def _uuid(value: Any, _: int = 0) -> UUID:
    if not isinstance(value, UUID):
        raise wrong_type("UUID", value)
    # A driver's own class of UUID becomes the plain one.
    return value if type(value) is UUID else UUID(int=value.int)


# Each also takes the depth around it, as the encoders of structures do: one call less a value.
ENCODE: dict[Tag, Callable[[Any, int], Any]] = {
    "str": text,
    "int": _integer,
    "float": _number,
    "bool": _flag,
    "decimal": _decimal,
    "datetime": _moment,
    "date": _day,
    "uuid": _uuid,
}
