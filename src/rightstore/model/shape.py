"""Makes a class a standard dataclass, then puts its expressions on it. It judges no wish."""

import dataclasses
import re
import typing
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING
from typing import Any

from rightstore.errors import UsageError
from rightstore.model.annotation import NotYetError, own_annotations, unwrapped
from rightstore.model.field import Field, Maybe
from rightstore.model.member import Member

_STORED_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def shape(cls: type[Any], *, frozen: bool, versioned: bool = False) -> None:
    """Build an entity or part: `Field[X]` and `Maybe[X]` become the fields of a dataclass."""
    annotations = own_annotations(cls)
    own: dict[str, Member] = {}
    plain: dict[str, Any] = {}
    for name, annotation in annotations.items():
        wrapper, inner = unwrapped(annotation, (Field, Maybe), cls)
        if wrapper is None:
            plain[name] = _other(cls, name, annotation)
            continue
        own[name] = _member(cls, name, inner, maybe=wrapper is Maybe)
        plain[name] = _for_dataclass(own[name])
    _check_stray(cls, annotations)
    if versioned:
        plain["_version"] = int
        cls._version = dataclasses.field(default=0, repr=False, compare=False)
    cls.__annotations__ = plain
    build(cls, frozen=frozen)
    cls.__members__ = inherited(cls) | own
    for name, member in own.items():
        setattr(cls, name, _descriptor(member))
        with suppress(NotYetError):
            member.kind_if_known()


def build(cls: type[Any], *, frozen: bool) -> None:
    """Apply the standard library's dataclass; what it refuses becomes a UsageError."""
    try:
        dataclasses.dataclass(kw_only=True, frozen=frozen)(cls)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{cls.__name__}: {error}.") from None


def inherited(cls: type[Any]) -> dict[str, Member]:
    """Return the fields that a class has from its parents."""
    found: dict[str, Member] = {}
    for parent in reversed(cls.__mro__[1:]):
        members: Mapping[str, Member] = parent.__dict__.get("__members__", {})
        found |= members
    return found


def _descriptor(member: Member) -> Any:
    made: Any = Field
    return made(member)


def _other(cls: type[Any], name: str, annotation: Any) -> Any:
    origin = typing.get_origin(annotation) or annotation
    if origin is typing.ClassVar or (isinstance(annotation, str) and "ClassVar" in annotation):
        return annotation
    raise UsageError(
        f"{cls.__name__}.{name}: a plain annotation cannot be asked about: write Field[…]."
    )


def _member(cls: type[Any], name: str, inner: Any, *, maybe: bool) -> Member:
    if name.startswith("_"):
        raise UsageError(
            f"{cls.__name__}.{name}: names with a leading '_' belong to Rightstore: rename it."
        )
    if getattr(cls, "__part__", False) and name in {"exists", "set"}:
        raise UsageError(
            f"{cls.__name__}.{name}: every part has .exists() and .set(): rename the field, and "
            "keep its stored name with stored_as."
        )
    given = cls.__dict__.get(name, MISSING)
    if given is MISSING:
        # Otherwise the dataclass would take an inherited expression for the default.
        given = dataclasses.field()
        setattr(cls, name, given)
    spec = given if isinstance(given, dataclasses.Field) else dataclasses.field(default=given)
    member = Member(
        cls,
        name,
        inner,
        maybe,
        _stored_as(cls, name, spec.metadata.get("stored_as")),
        spec.default,
        spec.default_factory,
    )
    if spec.metadata.get("is_double"):
        raise UsageError(f"{member}: give it default or default_factory, not both.")
    _check_default(member)
    return member


def _stored_as(cls: type[Any], name: str, stored: Any) -> str | None:
    if stored is not None and not (isinstance(stored, str) and _STORED_NAME.fullmatch(stored)):
        raise UsageError(
            f"{cls.__name__}.{name}: stored_as={stored!r} is no name for every store: take "
            "letters, digits and '_', a letter first."
        )
    found: str | None = stored
    return found


def _check_default(member: Member) -> None:
    if member.default is not MISSING and type(member.default).__hash__ is None:
        raise UsageError(
            f"{member}: a mutable default is shared by all records: "
            f"write field(default_factory={type(member.default).__name__})."
        )
    if member.default_factory is not MISSING and not callable(member.default_factory):
        raise UsageError(f"{member}: default_factory must be callable: pass list, not [].")


def _for_dataclass(member: Member) -> Any:
    """Return what pydantic and msgspec shall read: the type inside, without Field or Maybe."""
    inner = member.annotation
    if not member.maybe:
        return inner
    if isinstance(inner, str | typing.ForwardRef):
        text = inner if isinstance(inner, str) else inner.__forward_arg__
        return f"{text} | None"
    return inner | None


def _check_stray(cls: type[Any], annotations: Mapping[str, Any]) -> None:
    """Refuse `price = field(...)` without its annotation: it would silently be no field."""
    for name, value in cls.__dict__.items():
        if isinstance(value, dataclasses.Field) and name not in annotations:
            raise UsageError(f"{cls.__name__}.{name} has no type: write {name}: Field[…] = ….")
