"""Keys: of a record, checked, and as one text for stores that have one key of text.

The text sorts as the keys do and no two keys share one. It names no store.
"""

from typing import Any, TypeAlias
from uuid import UUID

from rightstore.errors import ConstraintError, UsageError
from rightstore.model.declaration import Declaration
from rightstore.model.kind import Kind
from rightstore.model.scalar import RefusedError, scalar

Key: TypeAlias = str | int | UUID | tuple[str | int | UUID, ...]

MAX_BYTES = 1024
# Below every character of a part, as `_escaped` writes it.
_SEPARATOR = "\x01"
_DIGITS = 19


def key_of(declaration: Declaration, record: Any) -> Key:
    """Return the key of a record: one value, or a tuple when the key has several fields."""
    names = declaration.key
    if len(names) == 1:
        key: Key = getattr(record, names[0])
        return key
    return tuple(getattr(record, name) for name in names)


def key_values(declaration: Declaration, key: Any) -> tuple[str | int | UUID, ...]:
    """Return the values of a key in stored form, one for each key field, or say what is wrong."""
    fields = declaration.key
    given = (key,) if len(fields) == 1 else key
    if not isinstance(given, tuple) or len(given) != len(fields):
        raise UsageError(
            f"{declaration.name}: its key is ({', '.join(fields)}): pass a tuple of {len(fields)}."
        )
    values = tuple(
        _value(declaration, name, value) for name, value in zip(fields, given, strict=True)
    )
    if len(_joined(values).encode()) > MAX_BYTES:
        raise ConstraintError(
            f"{declaration.name}: a key takes up to {MAX_BYTES} bytes: shorten or hash it."
        )
    return values


def _value(declaration: Declaration, name: str, value: Any) -> Any:
    try:
        stored = scalar(declaration.fields[name].kind, value)
    except RefusedError as refusal:
        kind = UsageError if refusal.is_type else ConstraintError
        raise kind(f"{declaration.name}.{name}: a key: {refusal.reason}.") from None
    if stored == "":
        raise ConstraintError(f"{declaration.name}.{name}: a key must not be empty: give it one.")
    return stored


def encode_key(declaration: Declaration, key: Key) -> str:
    """Return a key as one text; a key of one str is that str."""
    if type(key) is str and _is_plain(declaration, key):
        return key
    return _joined(key_values(declaration, key))


def _is_plain(declaration: Declaration, key: str) -> bool:
    """Tell whether it is surely a key as it is: the most common ones, and soon told."""
    if len(declaration.key) > 1 or not key.isascii() or not 0 < len(key) <= MAX_BYTES:
        return False
    kind = declaration.fields[declaration.key[0]].kind
    return kind.tag == "str" and not kind.options and "\0" not in key


def decode_key(declaration: Declaration, text: str) -> Key:
    """Return the key that `encode_key` made this text of; UsageError when it made none."""
    kinds = [declaration.fields[name].kind for name in declaration.key]
    parts = [text] if len(kinds) == 1 else text.split(_SEPARATOR)
    try:
        values = tuple(
            _read(kind, part, whole=len(kinds) == 1)
            for kind, part in zip(kinds, parts, strict=True)
        )
        if _joined(values) == text:
            return values[0] if len(values) == 1 else values
    except (ValueError, IndexError):
        pass
    raise UsageError(f"{declaration.name}: this text is no key of it: take it from encode_key.")


def _joined(values: tuple[str | int | UUID, ...]) -> str:
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return _SEPARATOR.join(map(_text, values))


def _text(value: str | int | UUID) -> str:
    if isinstance(value, str):
        return value.replace("\x02", "\x02\x03").replace("\x01", "\x02\x02")
    return str(value) if isinstance(value, UUID) else _number(value)


def _number(value: int) -> str:
    """Write the number of digits first, as a letter, so that 9 comes before 10: 5 is a5, 42 is b42.

    A negative number is written by its distance from the smallest one with as many digits.
    """
    if value >= 0:
        digits = str(value)
        return chr(ord("a") + len(digits) - 1) + digits
    digits = str(-value)
    turned = "".join(str(9 - int(digit)) for digit in digits)
    return "-" + chr(ord("a") + _DIGITS - len(digits)) + turned


def _read(kind: Kind, text: str, *, whole: bool) -> str | int | UUID:
    if kind.tag == "uuid":
        return UUID(text)
    if kind.tag == "int":
        if text.startswith("-"):
            return -int("".join(str(9 - int(digit)) for digit in text[2:]))
        return int(text[1:])
    return text if whole else text.replace("\x02\x02", "\x01").replace("\x02\x03", "\x02")
