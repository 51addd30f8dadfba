"""What an entity declares, as a frozen value that adapters read. `rule` judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from rightstore.errors import UsageError
from rightstore.model.kind import Kind
from rightstore.model.member import Member, members_of
from rightstore.model.place import Place, locate
from rightstore.model.wish import Cache, Index, Personal, Retain, Search

StoreName = Literal["postgres", "mongodb", "dynamodb"]
STORES: tuple[StoreName, ...] = ("postgres", "mongodb", "dynamodb")


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """One field of an entity: its name on the record and in the store, and what it takes."""

    name: str
    stored: str
    kind: Kind
    member: Member = field(repr=False, compare=False)


@dataclass(frozen=True)
class Declaration:
    """An entity as declared. What needs the types of its fields is found at first use."""

    entity: type[Any]
    name: str
    key: tuple[str, ...]
    home: StoreName
    group: str
    log: bool
    append_only: bool
    indexes: tuple[Index, ...]
    retain: Retain | None
    cache: Cache | None
    search: Search | None
    shard: tuple[str, ...]
    personal: Personal | None
    rename: Literal["camel"] | None
    schema: int
    layout: Mapping[StoreName, str]
    frozen: bool

    @cached_property
    def fields(self) -> Mapping[str, DeclaredField]:
        """The fields by name, in the order of their declaration; parts resolve theirs later."""
        return MappingProxyType(
            {
                name: DeclaredField(name, member.stored(self.rename), member.kind, member)
                for name, member in members_of(self.entity).items()
            }
        )

    def place(self, path: str) -> Place:
        """Return the place of a path such as `channels.in_app.read`; InvalidQueryError if none."""
        return locate(self.entity, path)

    @property
    def is_key_generated(self) -> bool:
        """Whether the declaration makes keys by itself, so that a key is never used twice."""
        return any(
            callable(members_of(self.entity)[name].default_factory)
            for name in self.key
            if name in members_of(self.entity)
        )

    @property
    def is_job(self) -> bool:
        """Whether its records are work to do."""
        return bool(getattr(self.entity, "__job__", False))

    @property
    def upgrades(self) -> Mapping[int, Any]:
        """The functions that bring a stored record to a schema number, by that number."""
        found: dict[int, Any] = self.entity.__dict__.get("__upgrades__", {})
        return MappingProxyType(found)


def declaration_of(kind: Any) -> Declaration:
    """Return the declaration of an entity, complete: what import could not judge is judged now."""
    found = kind.__dict__.get("__declaration__") if isinstance(kind, type) else None
    if not isinstance(found, Declaration):
        name = getattr(kind, "__name__", type(kind).__name__)
        raise UsageError(f"{name} is no entity: pass a class that is declared with Entity.")
    pending = kind.__dict__.get("__pending__")
    if pending is not None:
        pending(found)
        kind.__pending__ = None
    return found
