"""The mark of `once`: what was asked with a key and what came of it, beside the effect itself.

It lies in the store of the effect and is written in the same step, so that both are there or none.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from rightstore.errors import KeyReusedError, UsageError
from rightstore.model.declaration import Declaration, StoreName, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.model.record import from_stored, to_stored
from rightstore.model.wish import Retain
from rightstore.ports.records import Put, Stored
from rightstore.repository.parcel import Parcel, fingerprint
from rightstore.repository.scope import RELATIONAL

R = TypeVar("R")
KEPT = timedelta(hours=24)
MAX_KEY = 1_000


class Mark(Entity, name="rightstore_once", log=False, retain=Retain("at", KEPT)):
    """One call that took effect: `id` from function and key, `digest` from the argument."""

    id: Field[str]
    digest: Field[str]
    result: Field[str]
    at: Field[datetime]


@cache
def mark_in(group: str) -> Declaration:
    """Return the marks of effects in a group; all groups of a store share one place there."""
    return replace(declaration_of(Mark), group=group)


def marks_for(declarations: Collection[Declaration]) -> list[Declaration]:
    """Return what must be declared beside these entities: the marks, once for each home.

    PostgreSQL always has them, because tables live there.
    """
    homes: set[StoreName] = {"postgres"}
    homes |= {each.home for each in declarations}
    return [replace(mark_in(RELATIONAL), home=home) for home in sorted(homes)]


@dataclass(frozen=True, slots=True)
class Once(Generic[R]):
    """One call with a key: its mark's id, the digest of its argument, how its result is kept."""

    function: str
    id: str
    digest: str = field(repr=False)
    parcel: Parcel[R]

    @classmethod
    def of(cls, do: Any, arg: object, key: str) -> "Once[R]":
        """Judge a call before anything is done: its function, its argument and its key."""
        function = getattr(do, "__qualname__", None)
        if function is None:
            raise UsageError("once= takes a function with a name, which scopes the key: def one.")
        given: object = key
        if not isinstance(given, str) or not 1 <= len(given) <= MAX_KEY:
            raise UsageError(f"{function}: once= takes a text of 1 to {MAX_KEY} characters.")
        scoped = f"{do.__module__}.{function}\0{key}"
        identity = blake2b(scoped.encode(errors="replace"), digest_size=24).hexdigest()
        return cls(function, identity, fingerprint(function, arg), Parcel(do))

    def put(self, result: R, at: datetime) -> Put:
        """Return the write of the mark, which must not be there; the result must be readable."""
        mark = Mark(id=self.id, digest=self.digest, result=self.parcel.pack(result), at=at)
        return Put(self.id, to_stored(mark), 0)

    def result(self, stored: Stored) -> R:
        """Return the result of the call that took effect; KeyReusedError when it was another."""
        mark = from_stored(Mark, stored.data, version=stored.version, schema=stored.schema)
        if mark.digest != self.digest:
            raise KeyReusedError(
                f"{self.function}: this key was used with another argument: take a new key, or "
                "pass the same argument again (a fresh new_id or now in it makes it another)."
            )
        return self.parcel.unpack(mark.result)
