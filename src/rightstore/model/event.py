"""Event: a fact that the application states. Plain annotations: nobody queries a fact."""

import dataclasses
import re
import typing
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from rightstore.errors import UsageError
from rightstore.model.annotation import NotYetError, own_annotations
from rightstore.model.member import Member, members_of
from rightstore.model.shape import build, inherited
from rightstore.model.wish import Personal

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")


@dataclasses.dataclass(frozen=True, slots=True)
class EventDeclaration:
    """What a kind of fact declares: its name everywhere, the field that orders it, who hears it."""

    event: type[Any]
    name: str
    key: str
    public: bool
    personal: Personal | None


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Event:
    """A fact the application states; a public one also reaches other applications."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
        __members__: ClassVar[dict[str, Member]]
        __declaration__: ClassVar[EventDeclaration]

    def __init_subclass__(
        cls, *, name: str, key: str, public: bool = False, personal: Personal | None = None
    ) -> None:
        own = {
            field: Member(cls, field, annotation)
            for field, annotation in own_annotations(cls).items()
            if (typing.get_origin(annotation) or annotation) is not typing.ClassVar
        }
        build(cls, frozen=True)
        for spec in dataclasses.fields(cls):
            if spec.name in own:
                own[spec.name].default = spec.default
                own[spec.name].default_factory = spec.default_factory
        cls.__members__ = inherited(cls) | own
        declaration = EventDeclaration(cls, name, key, public, personal)
        _judge(declaration)
        cls.__declaration__ = declaration


def event_of(kind: type[Any]) -> EventDeclaration:
    """Return what a kind of fact declares."""
    found = kind.__dict__.get("__declaration__")
    if not isinstance(found, EventDeclaration):
        raise UsageError(f"{kind.__name__} is no event: pass a class that is declared with Event.")
    return found


def _judge(d: EventDeclaration) -> None:
    who, fields = d.event.__name__, members_of(d.event)
    if not _NAME.fullmatch(d.name) or len(d.name) > 100:
        raise UsageError(f"{who}: name={d.name!r} is no name of an event; write 'order.placed'.")
    personal = (d.personal.subject, *d.personal.fields, *d.personal.lookup) if d.personal else ()
    for field in (d.key, *personal):
        if field not in fields:
            raise UsageError(f"{who}.{field}: no such field; it has {', '.join(fields) or 'none'}.")
    for member in fields.values():
        try:
            member.kind_if_known()
        except NotYetError:
            continue
    if not _is_key(fields[d.key]):
        raise UsageError(f"{who}.{d.key}: the key of an event is a str, int or UUID: take another.")


def _is_key(member: Member) -> bool:
    try:
        kind = member.kind_if_known()
    except NotYetError:
        return True
    return kind.tag in {"str", "int", "uuid"} and not kind.optional
