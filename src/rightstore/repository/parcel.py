"""Results of functions as text and back by their return annotation, and arguments as a digest.

What cannot be kept is a UsageError, as far as possible before the function runs.
"""

import sys
import typing
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from types import SimpleNamespace
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
import msgspec.inspect

from rightstore import codec
from rightstore.errors import CorruptDataError, UsageError

R = TypeVar("R")
# What the codec keeps exactly.
_EXACT = (bytes, datetime, date, time, timedelta, Decimal, UUID)
_REMEDY = "take dataclasses, entities, pydantic models, and lists and dicts of plain values"


def fingerprint(function: str, arg: object) -> str:
    """Return the digest of an argument, the same in every process for equal arguments."""
    try:
        # The version that a record carries is no part of what it is: `==` does not see it.
        data = codec.canonical(_unversioned(_plain(arg, "deterministic")))
    except (TypeError, RecursionError, UsageError) as error:
        raise UsageError(f"{function}: once= cannot keep this argument ({error}).") from None
    return blake2b(data, digest_size=24).hexdigest()


class Parcel(Generic[R]):
    """How the result of one function is kept."""

    def __init__(self, do: Callable[..., Any]) -> None:
        self._function: str = do.__qualname__
        self._type: Any = _returned(do)
        self._check_type()

    def pack(self, result: R) -> str:
        """Return the result as text, from which the annotation makes an equal one again."""
        try:
            text = codec.encode(_plain(result, None)).decode()
        except (TypeError, RecursionError, UsageError) as error:
            raise UsageError(f"{self._function}: once= cannot keep its result ({error}).") from None
        found = self.unpack(text)
        if self._type is Any and found != result:
            raise self._wrong(
                "without an annotation a later call would give plain values instead: write -> …"
            )
        return text

    def unpack(self, text: str) -> R:
        """Return the result that was kept."""
        try:
            found: R = msgspec.convert(codec.decode(text.encode()), self._type, dec_hook=_load)
        except (ValueError, CorruptDataError):
            raise UsageError(
                f"{self._function}: what it gave does not fit its return annotation: correct it, "
                "and keep it readable for as long as marks are kept."
            ) from None  # a model's own complaint would quote the value
        return found

    def _check_type(self) -> None:
        try:
            info = msgspec.inspect.type_info(self._type)
        except (TypeError, NameError) as error:
            raise self._wrong(str(error)) from None
        if isinstance(info, msgspec.inspect.CustomType) and not hasattr(info.cls, "model_validate"):
            raise self._wrong(f"{info.cls.__name__}; {_REMEDY}")

    def _wrong(self, why: str) -> UsageError:
        return UsageError(f"{self._function}: once= cannot keep what it returns: {why}.")


def _returned(do: Callable[..., Any]) -> Any:
    """Return the type that a function is annotated to give; Any when it does not say."""
    if sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415 - only there

        notes = annotationlib.get_annotations(do, format=annotationlib.Format.FORWARDREF)
    else:
        notes = do.__annotations__
    holder = SimpleNamespace(__annotations__={"return": notes.get("return", Any)})
    scope = getattr(do, "__globals__", None) or vars(sys.modules[do.__module__])
    try:
        return typing.get_type_hints(holder, scope)["return"]
    except NameError as error:
        raise UsageError(
            f"{do.__qualname__}: its return annotation cannot be read ({error}): define it at "
            "module level, outside TYPE_CHECKING."
        ) from None


def _plain(value: object, order: Literal["deterministic"] | None) -> Any:
    return msgspec.to_builtins(value, builtin_types=_EXACT, enc_hook=_dump, order=order)


def _dump(value: Any) -> Any:
    """Take models of pydantic as what is in them."""
    if hasattr(value, "model_dump"):
        return value.model_dump()
    raise TypeError(f"{type(value).__name__}; {_REMEDY}")


def _load(kind: Any, value: Any) -> Any:
    return kind.model_validate(value)


def _unversioned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unversioned(item) for name, item in value.items() if name != "_version"}
    if isinstance(value, list | tuple):
        return [_unversioned(item) for item in value]
    return value
