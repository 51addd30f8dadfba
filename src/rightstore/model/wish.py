"""What an entity wishes beyond its fields: five small values that others fulfil.

Whether a wish fits its entity is judged in `rule`, not here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, init=False, slots=True)
class Index:
    """`Index("user_id", "-created_at")`: `-` means descending; `where` holds equalities only."""

    fields: tuple[str, ...]
    unique: bool
    where: Mapping[str, object] | None
    text: bool

    def __init__(
        self,
        *fields: str,
        unique: bool = False,
        where: Mapping[str, object] | None = None,
        text: bool = False,
    ) -> None:
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "unique", unique)
        object.__setattr__(self, "where", where)
        object.__setattr__(self, "text", text)

    @property
    def columns(self) -> tuple[tuple[str, bool], ...]:
        """The fields in order, each with whether it descends."""
        return tuple((field.removeprefix("-"), field.startswith("-")) for field in self.fields)


@dataclass(frozen=True, slots=True)
class Cache:
    """Reads by key are cached: `ttl` seconds, of these `near` in the process itself."""

    ttl: float
    near: float = 0.0
    write_through: bool = False
    key: str | None = None


@dataclass(frozen=True, init=False, slots=True)
class Search:
    """Full text over fields, `"name^3"` three times as heavy; `facets` are counted per value."""

    fields: tuple[str, ...]
    facets: tuple[str, ...]

    def __init__(self, *fields: str, facets: Sequence[str] = ()) -> None:
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "facets", tuple(facets))

    @property
    def weights(self) -> tuple[tuple[str, int], ...]:
        """The fields in order, each with its weight."""
        parts = (field.partition("^") for field in self.fields)
        return tuple((name, int(weight or 1)) for name, _, weight in parts)


@dataclass(frozen=True, slots=True)
class Retain:
    """Records go `age` after the moment in `since`; with `where`, only those equal to it."""

    since: str
    age: timedelta = timedelta(0)
    where: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Personal:
    """Whose data a record is, which fields tell something about them, and what erasure does."""

    subject: str
    fields: tuple[str, ...]
    erase: Literal["delete", "pseudonymise"] = "delete"
    lookup: tuple[str, ...] = ()
