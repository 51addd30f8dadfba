"""Values of any kind in the form that is stored: parts as dicts with stored names, lists, scalars.

It reads nothing back (`revive` does) and knows no record, only kinds.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from rightstore.model.kind import ANY, Kind
from rightstore.model.member import members_of
from rightstore.model.scalar import ENCODE, RefusedError, scalar, text, wrong_type

# What the strictest store allows; the record itself is the first level.
MAX_NESTING = 100

Encode = Callable[[Any, int], Any]
_FREE: dict[type[Any], Encode] = {
    bool: ENCODE["bool"],
    int: ENCODE["int"],
    float: ENCODE["float"],
    str: text,
}


def plain(kind: Kind, value: Any, rename: str | None) -> Any:
    """Return the stored form of a value inside a record; RefusedError says why there is none."""
    return encoder(kind, rename)(value, 1)


@cache
def encoder(kind: Kind, rename: str | None) -> Encode:
    """Return the function (value, depth around it) -> stored form; made once for each kind."""
    inner = _encoder(kind, rename)
    if not kind.optional:
        return inner
    return lambda value, depth: None if value is None else inner(value, depth)


def _encoder(kind: Kind, rename: str | None) -> Encode:
    if kind.tag == "part":
        return _PartEncoder(kind.python, rename)
    if kind.tag == "list":
        return _list_encoder(kind, rename)
    if kind.tag == "dict":
        return _dict_encoder(kind, rename)
    if kind == ANY or kind.tag == "any":
        return _free
    if kind.options:
        return partial(scalar, kind)
    return ENCODE[kind.tag]


class _PartEncoder:
    """Encodes the fields of a part or record; they are looked up at the first value."""

    def __init__(self, python: type[Any], rename: str | None) -> None:
        self._python, self._rename = python, rename
        self._table: list[tuple[str, str, Encode]] | None = None

    def __call__(self, value: Any, depth: int) -> dict[str, Any]:
        if type(value) is not self._python:
            raise wrong_type(self._python.__name__, value)
        if self._table is None:
            self._table = [
                (name, member.stored(self._rename), encoder(member.kind, self._rename))
                for name, member in members_of(self._python).items()
            ]
        _check_depth(depth)
        values, done, name = vars(value), {}, ""
        try:
            for name, stored, encode in self._table:
                done[stored] = encode(values[name], depth + 1)
        except RefusedError as refusal:
            refusal.steps.append(f".{name}")
            raise
        except KeyError:
            gone = RefusedError("it was deleted from the record; set it", is_type=True)
            gone.steps.append(f".{name}")
            raise gone from None
        return done


def _list_encoder(kind: Kind, rename: str | None) -> Encode:
    encode = encoder(kind.of, rename)

    def encode_list(value: Any, depth: int) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise wrong_type(kind, value)
        return _items(value, depth, encode)

    return encode_list


def _items(values: Any, depth: int, encode: Encode) -> list[Any]:
    _check_depth(depth)
    done: list[Any] = []
    try:
        for value in values:
            # No comprehension: the length so far is the place of a refusal.
            done.append(encode(value, depth + 1))  # noqa: PERF401 - see above
    except RefusedError as refusal:
        refusal.steps.append(f"[{len(done)}]")
        raise
    return done


def _dict_encoder(kind: Kind, rename: str | None) -> Encode:
    encode = encoder(kind.of, rename)

    def encode_dict(value: Any, depth: int) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise wrong_type(kind, value)
        return _entries(value, depth, encode)

    return encode_dict


def _entries(values: dict[Any, Any], depth: int, encode: Encode) -> dict[str, Any]:
    _check_depth(depth)
    done: dict[str, Any] = {}
    try:
        for key, value in values.items():
            done[text(key)] = encode(value, depth + 1)
    except RefusedError as refusal:
        # By its place: a key of a free-form field may be somebody's data.
        refusal.steps.append(f".(key {len(done)})")
        raise
    return done


def _free(value: Any, depth: int) -> Any:
    if value is None:
        return None
    if type(value) in _FREE:
        return _FREE[type(value)](value, depth)
    if isinstance(value, dict):
        return _entries(value, depth, _free)
    if isinstance(value, list | tuple):
        return _items(value, depth, _free)
    raise RefusedError(
        f"a free-form value is JSON, not {type(value).__name__}; declare a field or write a str",
        is_type=True,
    )


def _check_depth(depth: int) -> None:
    if depth > MAX_NESTING:
        raise RefusedError(f"it is nested more than {MAX_NESTING} deep, or contains itself")
