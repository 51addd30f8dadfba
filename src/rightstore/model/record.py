"""Records and facts to plain stored dictionaries and back, exactly; versions travel beside them.

What cannot be kept is refused here with entity, field and remedy, before any store sees it. The
value itself is never shown.
"""

from functools import cache
from typing import Any, TypeVar

from rightstore.errors import ConstraintError, CorruptDataError, RightstoreError, UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.event import Event, event_of
from rightstore.model.kind import Kind
from rightstore.model.plain import Encode, encoder
from rightstore.model.revive import Decode, decoder
from rightstore.model.scalar import RefusedError
from rightstore.model.upgrade import upgraded

E = TypeVar("E", bound=Entity)
Ev = TypeVar("Ev", bound=Event)


def to_stored(record: Entity) -> dict[str, Any]:
    """Return a record as it is stored: stored names, None included, without its version.

    Values are None, bool, int, float, str, Decimal, datetime (UTC, milliseconds), date, UUID, and
    lists and dicts of these. A value of a wrong type is a UsageError, one that no store keeps
    (U+0000, more than 64 bits, NaN, …) a ConstraintError.
    """
    declaration = declaration_of(type(record))
    python: Any = type(record)
    if len(record.__dict__) > _room(python):
        _refuse_strangers(record)
    try:
        return _encoded(record, declaration.rename)
    except RefusedError as refusal:
        raise refused(declaration.name, refusal) from None


def from_stored(
    kind: type[E], stored: dict[str, Any], *, version: int, schema: int = 0, store: str = "unknown"
) -> E:
    """Return the record that was stored; it keeps what it is given, so hand over a fresh dict.

    `schema` is the number it was stored with (0: the declared one); older ones are upgraded.
    Besides the values of `to_stored` it takes the JSON text of a Decimal, datetime, date or UUID.
    Names that are not declared are left out; a missing one gets its default. What does not fit is
    a CorruptDataError.
    """
    declaration = declaration_of(kind)
    if schema and schema < declaration.schema:
        stored = upgraded(declaration, stored, schema)
    python: Any = kind
    try:
        record: E = _decoder(python, declaration.rename)(stored)
    except RefusedError as refusal:
        raise _unreadable(declaration.name, refusal, store) from None
    record.__dict__["_version"] = version
    return record


def copied(stored: Any) -> Any:
    """Return a copy of a stored form that shares nothing which can change with it."""
    if isinstance(stored, dict):
        return {key: copied(value) for key, value in stored.items()}
    if isinstance(stored, list):
        return [copied(value) for value in stored]
    return stored


def fact_to_stored(fact: Event) -> dict[str, Any]:
    """Return a fact as it is stored in the log; the errors are those of `to_stored`."""
    declaration = event_of(type(fact))
    try:
        return _encoded(fact, None)
    except RefusedError as refusal:
        raise refused(declaration.name, refusal) from None


def fact_from_stored(kind: type[Ev], stored: dict[str, Any], *, store: str = "unknown") -> Ev:
    """Return the fact that was stored; names that are not declared are left out."""
    python: Any = kind
    try:
        fact: Ev = _decoder(python, None)(stored)
    except RefusedError as refusal:
        raise _unreadable(event_of(kind).name, refusal, store) from None
    return fact


def refused(name: str, refusal: RefusedError) -> RightstoreError:
    """Return the error for a value that cannot be stored: whose, where, why and the remedy."""
    kind = UsageError if refusal.is_type else ConstraintError
    return kind(f"{name}{refusal.path}: {refusal.reason}.")


def _encoded(record: Any, rename: str | None) -> dict[str, Any]:
    kind: Any = type(record)
    stored: dict[str, Any] = _encoder(kind, rename)(record, 1)
    return stored


@cache
def _room(kind: Any) -> int:
    """Return how many attributes a record has: its fields and its version."""
    return len(declaration_of(kind).fields) + 1


def _refuse_strangers(record: Entity) -> None:
    """Refuse an attribute that nobody declared: a misspelt one would be lost without a word."""
    fields = declaration_of(type(record)).fields
    for name in record.__dict__:
        if name not in fields and not hasattr(type(record), name):
            raise UsageError(
                f"{type(record).__name__}.{name} is no field, and would be lost: correct the name, "
                "or declare it."
            )


# By class: to make and hash a Kind for each record costs as much as a record itself.
@cache
def _encoder(kind: Any, rename: str | None) -> Encode:
    return encoder(Kind("part", python=kind), rename)


@cache
def _decoder(kind: Any, rename: str | None) -> Decode:
    return decoder(Kind("part", python=kind), rename)


def _unreadable(name: str, refusal: RefusedError, store: str) -> CorruptDataError:
    return CorruptDataError(
        f"A record of {name} in {store} cannot be read: {name}{refusal.path}: {refusal.reason}.",
        store=store,
        operation="read",
        outcome="not applied",
    )
