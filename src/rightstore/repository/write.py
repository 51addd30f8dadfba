"""What a caller hands in, as the write that a store takes: its key, version and values checked.

It does no I/O and knows no transaction.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from rightstore.errors import NotFoundError, UnsupportedError, UsageError
from rightstore.model import query
from rightstore.model.condition import Condition, Expr
from rightstore.model.declaration import Declaration
from rightstore.model.edit import Edit
from rightstore.model.entity import version_of
from rightstore.model.event import Event
from rightstore.model.key import Key, encode_key, key_of
from rightstore.model.record import to_stored
from rightstore.model.scalar import MAX_INTEGER
from rightstore.mutant import mutant
from rightstore.ports.records import Change, Delete, Expect, Put

Emit: TypeAlias = Event | Sequence[Event]
Where: TypeAlias = Condition | Expr[bool]


def refuse_facts(name: str, emit: Emit) -> None:
    """Raise UnsupportedError when a write shall say something: nothing would hear it yet."""
    if isinstance(emit, Event) or len(emit):
        raise UnsupportedError(
            f"{name}: emit= is not supported yet, nothing was written: leave it out."
        )


def expected(name: str, expect: Expect | None) -> Expect | None:
    """Return the version that a caller expects, if it is one."""
    if expect is None or expect == "any":
        return expect
    if type(expect) is int and expect >= 0:
        # No version gets there, and no store has a larger number to compare with.
        return min(expect, MAX_INTEGER - 1)
    raise UsageError(f"{name}: expect= takes a version (0: no record there) or 'any'.")


def put(declaration: Declaration, record: Any, expect: Expect | None) -> Put:
    """Return the write of a whole record, guarded by the version that it carries."""
    if type(record) is not declaration.entity:
        raise UsageError(
            f"{declaration.name}: put takes a {declaration.entity.__name__}, not "
            f"{type(record).__name__}."
        )
    wanted = expected(declaration.name, expect)
    if wanted is None:
        wanted = "any" if mutant("blind_put") else version_of(record)
    key = encode_key(declaration, key_of(declaration, record))
    return Put(key, to_stored(record), wanted)


def change(
    declaration: Declaration,
    key: Key,
    edits: Sequence[Edit],
    *,
    when: Where | None,
    or_create: Any,
    expect: Expect = "any",
) -> Change:
    """Return the write of edits to what is there."""
    text = encode_key(declaration, key)
    created = None if or_create is None else put(declaration, or_create, "any")
    if created and created.key != text:
        raise UsageError(f"{declaration.name}: or_create= has another key than the change.")
    return Change(
        text,
        query.edits(declaration, edits),
        None if when is None or mutant("no_when") else query.condition(declaration, [when]),
        created.data if created else None,
        expect,
    )


def delete(declaration: Declaration, key: Key, expect: Expect | None) -> Delete:
    """Return the write of a tombstone."""
    wanted = expected(declaration.name, expect)
    return Delete(encode_key(declaration, key), "any" if wanted is None else wanted)


def not_found(name: str) -> NotFoundError:
    """Return the error of a record that must be there and is not; its key may be personal."""
    return NotFoundError(
        f"{name}: no record with this key: put it first, or take get(), which gives None."
    )
