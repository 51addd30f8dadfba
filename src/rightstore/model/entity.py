"""Entity: a declared kind of record. At run time a standard dataclass; it does no I/O."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, dataclass_transform

from rightstore.errors import UsageError
from rightstore.model.declaration import Declaration, StoreName
from rightstore.model.field import field
from rightstore.model.public import public
from rightstore.model.rule import judge, judge_now
from rightstore.model.shape import shape
from rightstore.model.wish import Cache, Index, Personal, Retain, Search

_DEFAULTS: Mapping[str, Any] = {
    "key": "id",
    "name": None,
    "home": "postgres",
    "group": None,
    "log": True,
    "append_only": False,
    "indexes": (),
    "retain": None,
    "cache": None,
    "search": None,
    "shard": (),
    "personal": None,
    "rename": None,
    "schema": 1,
    "layout": None,
    "frozen": False,
}
_WISHES: Mapping[str, type[Any]] = {
    "retain": Retain,
    "cache": Cache,
    "search": Search,
    "personal": Personal,
}


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Entity:
    """A declared kind of record: key, version, fields, indexes, wishes; it can move."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

        def __init_subclass__(  # noqa: PLR0913 - the words of a declaration
            cls,
            *,
            key: str | tuple[str, ...] = "id",
            name: str | None = None,
            home: StoreName = "postgres",
            group: str | None = None,
            log: bool = True,
            append_only: bool = False,
            indexes: Sequence[Index] = (),
            retain: Retain | None = None,
            cache: Cache | None = None,
            search: Search | None = None,
            shard: Sequence[str] = (),
            personal: Personal | None = None,
            rename: Literal["camel"] | None = None,
            schema: int = 1,
            layout: Mapping[StoreName, str] | None = None,
            frozen: bool = False,
        ) -> None: ...

    else:
        # What the class keywords are when a declaration leaves them out; Job has others.
        __defaults__ = _DEFAULTS
        __more_indexes__ = ()

        def __init_subclass__(cls, **given):
            _declare(cls, given)

        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            """For FastAPI the record has its public names, and no version: nobody can send one."""
            return public(handler.resolve_ref_schema(handler(source)), handler.resolve_ref_schema)


def _declare(cls: Any, given: dict[str, Any]) -> None:
    for word in given:
        if word not in _DEFAULTS:
            raise UsageError(
                f"{cls.__name__}: {word}= is no word of a declaration: take one of "
                f"{', '.join(_DEFAULTS)}."
            )
    words = {**cls.__defaults__, **given}
    cls.__rename__ = words["rename"]
    shape(cls, frozen=words["frozen"], versioned=True)
    declaration = _declaration(cls, words)
    cls.__declaration__ = declaration
    cls.__pending__ = None if judge(declaration) else judge_now


def _declaration(cls: Any, words: dict[str, Any]) -> Declaration:
    name = cls.__name__ if words["name"] is None else words["name"]
    for word, kind in _WISHES.items():
        if words[word] is not None and not isinstance(words[word], kind):
            raise UsageError(f"{cls.__name__}: {word}= takes {kind.__name__}(…).")
    if not isinstance(words["indexes"], tuple | list):
        raise UsageError(f"{cls.__name__}: indexes= takes a list: write [Index(…)].")
    return Declaration(
        entity=cls,
        name=name,
        key=_names(cls, "key", words["key"]),
        home=words["home"],
        group=name if words["group"] is None else words["group"],
        log=words["log"],
        append_only=words["append_only"],
        indexes=tuple(cls.__more_indexes__) + tuple(words["indexes"]),
        retain=words["retain"],
        cache=words["cache"],
        search=words["search"],
        shard=_names(cls, "shard", words["shard"]),
        personal=words["personal"],
        rename=words["rename"],
        schema=words["schema"],
        layout=dict(words["layout"] or {}),
        frozen=words["frozen"],
    )


def _names(cls: type[Any], word: str, given: Any) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) and word == "key" else given
    if isinstance(names, tuple | list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise UsageError(f"{cls.__name__}: {word}= takes names of fields: write [{names!r}].")


def version_of(record: object) -> int:
    """Return the version a record was read or stored at; 0 when it was never stored."""
    values = vars(record)
    return int(values.get("_version", values.get("version", 0)) or 0)


def stamp(record: Entity, version: int) -> None:
    """Give a record the version that the store has given it; frozen ones too."""
    record.__dict__["_version"] = version
