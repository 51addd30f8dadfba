"""What the annotations of a class say: the type inside Field[...] and Maybe[...], and its Kind.

Names that are not defined yet stay open: they are looked up again at the first use.
"""

import enum
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

from rightstore.model.kind import ANY, Kind, Tag

_SCALARS: dict[type[Any], Tag] = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    Decimal: "decimal",
    datetime: "datetime",
    date: "date",
    UUID: "uuid",
}
_SUBSCRIPT = re.compile(r"\s*([\w.]+)\s*\[(.*)\]\s*", re.DOTALL)


class WrongTypeError(Exception):
    """Why an annotation is no type of a field; the caller says whose."""


class NotYetError(Exception):
    """A name in the annotation is not defined (yet)."""


def own_annotations(cls: type[Any]) -> dict[str, Any]:
    """Return the annotations of this class alone, evaluated as far as that is possible now."""
    if sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415 - only there

        found = annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
    else:
        found = dict(cls.__dict__.get("__annotations__", {}))  # noqa: RUF063 - slow to import
    return {name: _now(value, cls) for name, value in found.items()}


def _now(annotation: Any, owner: type[Any]) -> Any:
    try:
        return evaluated(annotation, owner)
    except (NotYetError, WrongTypeError):
        # A ClassVar, for one; what is wrong with a field is said where it is known as one.
        return annotation


def evaluated(annotation: Any, owner: type[Any]) -> Any:
    """Return the type that a text or a forward reference stands for, in its class's module."""
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    module = sys.modules.get(owner.__module__)
    names: Mapping[str, Any] = vars(module) if module else {}
    try:
        hints = typing.get_type_hints(holder, dict(names), {owner.__name__: owner})
    except NameError as error:
        raise NotYetError(f"{error.name!r} is not defined in {owner.__module__}") from None
    except (TypeError, SyntaxError, AttributeError) as error:
        raise WrongTypeError(f"its annotation cannot be read ({error})") from None
    return hints["it"]


def unwrapped(
    annotation: Any, wrappers: tuple[type[Any], ...], owner: type[Any]
) -> tuple[Any, Any]:
    """Return which wrapper (Field, Maybe) an annotation has and what is inside, or (None, …)."""
    origin = typing.get_origin(annotation)
    if origin in wrappers:
        return origin, typing.get_args(annotation)[0]
    found = _SUBSCRIPT.fullmatch(annotation) if isinstance(annotation, str) else None
    if found:
        head = _now(found[1], owner)
        if head in wrappers:
            return head, found[2]
    return None, annotation


def kind_of(python: Any) -> Kind:
    """Return the Kind of an evaluated type, or raise WrongTypeError with the remedy."""
    python = _plain(python)
    if python is Any or python is object:
        return ANY
    origin = typing.get_origin(python)
    if origin is typing.Union or origin is types.UnionType:
        return _union(typing.get_args(python))
    if origin is typing.Literal:
        return _literal(typing.get_args(python))
    if origin in (list, tuple, dict) or python in (list, tuple, dict):
        return _container(origin or python, typing.get_args(python))
    if python in _SCALARS:
        return Kind(_SCALARS[python], python=python)
    if isinstance(python, type):
        return _class(python)
    raise WrongTypeError(f"{python!r} cannot be stored; {_ALLOWED}")


_ALLOWED = (
    "take str, int, float, bool, Decimal, datetime, date, UUID, an Enum, a Literal, a Part, "
    "list[…], dict[str, …] or Any"
)


def _plain(python: Any) -> Any:
    """Look through NewType, Annotated and `type` aliases."""
    while True:
        if typing.get_origin(python) is typing.Annotated:
            python = typing.get_args(python)[0]
        elif hasattr(python, "__supertype__"):
            python = python.__supertype__
        elif type(python).__name__ == "TypeAliasType":
            python = python.__value__
        else:
            return python


def _union(members: tuple[Any, ...]) -> Kind:
    others = [member for member in members if member is not NoneType]
    if len(others) != 1:
        raise WrongTypeError("a union of several types cannot be compared; take one type, or Any")
    return replace(kind_of(others[0]), optional=True)


def _literal(options: tuple[Any, ...]) -> Kind:
    values = tuple(option for option in options if option is not None)
    kinds = {type(value) for value in values}
    if kinds not in ({str}, {int}):
        raise WrongTypeError("a Literal must be all str or all int; write another Literal")
    python = kinds.pop()
    optional = len(values) < len(options)
    return Kind(_SCALARS[python], optional, python, options=values)


def _container(origin: Any, items: tuple[Any, ...]) -> Kind:
    if origin is dict:
        if items and _plain(items[0]) is not str:
            raise WrongTypeError("a dict must have str keys; write dict[str, …]")
        return Kind("dict", python=dict, item=kind_of(items[1]) if items else ANY)
    if origin is tuple and items and (len(items) != 2 or items[1] is not ...):
        raise WrongTypeError("a tuple must be of one type; write tuple[X, ...] or a Part")
    return Kind("list", python=origin, item=kind_of(items[0]) if items else ANY)


def _class(python: type[Any]) -> Kind:
    if getattr(python, "__part__", False):
        return Kind("part", python=python)
    if issubclass(python, enum.Enum):
        values = tuple(member.value for member in python)
        kinds = {type(value) for value in values}
        if kinds not in ({str}, {int}) or issubclass(python, enum.Flag):
            raise WrongTypeError(f"the values of {python.__name__} must be all str or all int")
        return Kind(_SCALARS[kinds.pop()], python=python, options=values)
    if hasattr(python, "__members__"):
        raise WrongTypeError(f"{python.__name__} is no Part; nest a Part, or keep its key")
    raise WrongTypeError(f"{python.__name__} cannot be stored; {_ALLOWED}")
