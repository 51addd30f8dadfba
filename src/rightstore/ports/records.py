"""Port `records`: the records of one entity in stored form, by key, each with a version.

It knows no classes of yours: what it is asked was checked by `model.query`, what it keeps was made
by `model.record.to_stored`. A deleted or expired record is *absent* to everything here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from rightstore.errors import (
    AlreadyExistsError,
    NotFoundError,
    StateError,
    StoreError,
    UsageError,
    VersionConflictError,
)
from rightstore.ids import new_id
from rightstore.model.condition import Condition, Expr
from rightstore.model.declaration import Declaration
from rightstore.model.edit import Edit
from rightstore.model.group import Row
from rightstore.model.order import Order
from rightstore.ports.capability import Capability

# The version that the record must have now: 0 for none there; "any" for whatever there is.
Expect = int | Literal["any"]
Data: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it is stored: `data` is the caller's own, `write_id` that of its last write."""

    key: str = field(repr=False)
    version: int
    data: Data = field(repr=False)
    schema: int
    write_id: str


@dataclass(frozen=True, slots=True)
class Put:
    """The whole record becomes this. `write_id` is kept with it; it is never used twice."""

    key: str = field(repr=False)
    data: Data = field(repr=False)
    expect: Expect = 0
    write_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Change:
    """Edits to what is there, if `when` holds of it before; `or_create` as it is, if absent."""

    key: str = field(repr=False)
    edits: tuple[Edit, ...]
    when: Condition | None = None
    or_create: Data | None = field(default=None, repr=False)
    expect: Expect = "any"
    write_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Delete:
    """The record becomes a tombstone, which keeps the version."""

    key: str = field(repr=False)
    expect: Expect = "any"
    write_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Seen:
    """Nothing is written: the record still has the version that was read, 0 when it was absent."""

    key: str = field(repr=False)
    version: int


Write = Put | Change | Delete | Seen
Batch = Sequence[tuple[Declaration, Write]]


@dataclass(frozen=True, slots=True)
class Find:
    """What to find: `orders` is total (`model.query.orders`), `after` a position in it."""

    where: Condition | None = None
    orders: tuple[Order, ...] = ()
    limit: int | None = None
    after: tuple[Any, ...] | None = field(default=None, repr=False)


class Records(Protocol):
    """The records of one entity by key. Each call is one round trip where nothing fails.

    Every read sees all writes that were acknowledged before it began. A write is all or nothing and
    raises versions by exactly 1, for ever: a key that was deleted continues where it was. What is
    handed in is neither kept nor changed, what is handed out shares nothing with the store.
    StateError: nothing was changed. StoreError: its `outcome` says whether. A lost reply to a write
    is resolved by its write id before it becomes "unknown".
    """

    async def get(self, key: str) -> Stored | None:
        """Return the record; None when it is absent."""
        ...

    async def get_many(self, keys: Sequence[str]) -> list[Stored | None]:
        """Return a record or None for each key, in the order asked, a key asked twice twice.

        Each is as `get` gives it; together they need not be of one moment.
        """
        ...

    async def put(self, write: Put) -> int:
        """Store the record with the declared schema; return its new version.

        AlreadyExistsError when it expects 0 and there is one; VersionConflictError when it expects
        another version than there is, absent included; ConstraintError when a unique index forbids
        it. None in a field of a unique index is equal to nothing. UsageError for an entity that is
        append_only, unless it expects 0.
        """
        ...

    async def put_many(self, writes: Sequence[Put]) -> list[int | StateError | StoreError]:
        """Put each, in as few round trips as the store allows; return what became of each.

        Each is atomic, all together are not: one that fails stops no other. UsageError, before
        anything is written, for a key that comes twice.
        """
        ...

    async def change(self, write: Change) -> Stored:
        """Apply the edits to what is there now and return the record as it is then.

        Test and edits are one step: of any number at once each sees what the others made. NotFound-
        Error when it is absent and `or_create` is None; ConditionError when `when` does not hold or
        an edit has no place to go; ConstraintError when a number leaves its range or a unique index
        forbids it; VersionConflictError when it expects another version; UsageError for an entity
        that is append_only. A record of an older schema is upgraded first; then it has the new one.
        """
        ...

    async def delete(self, write: Delete) -> int:
        """Leave a tombstone; return its version, or 0 when there was nothing to delete.

        VersionConflictError when it expects another version than there is, absent included;
        UsageError when it expects 0, or the entity is append_only.
        """
        ...


class Queries(Protocol):
    """The records of one entity by what is in them. Their meaning is that of `model.evaluate`.

    A condition looks at what is stored: a record of an older schema answers with its old fields
    until it is upgraded. A query that the store cannot serve is an UnsupportedError. Where indexes
    follow their table later (DynamoDB), what was written in the last moments may be missing; what
    is found is current all the same.
    """

    async def find(self, what: Find) -> list[Stored]:
        """Return the records that meet the condition, in order, after the position, to the limit.

        Every record that met the condition, and kept its place in the order, from before the call
        until after it, is in the answer if the limit reaches it; none is twice.
        """
        ...

    async def count(self, where: Condition | None = None) -> int:
        """Return how many records meet the condition."""
        ...

    async def select(self, what: Find, columns: Sequence[Expr[Any]]) -> list[Row]:
        """Return the rows that `model.group` makes of what `find` would return.

        Projections keep the order of the records; groups come in the order of their keys.
        """
        ...


class RecordStore(Protocol):
    """One store of records: what it can do, its entities, and writes to several of their records.

    Where something expires, the moment is that of the store's or of a given clock, at each call. An
    expired record may keep its place in a unique index until the store has removed it.
    """

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do beyond keys and declared indexes."""
        ...

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity by key; no I/O."""
        ...

    def queries(self, declaration: Declaration) -> Queries:
        """Return the records of an entity by what is in them; no I/O."""
        ...

    async def write(self, batch: Batch) -> list[int]:
        """Do all of it or nothing, in one step; return the version of each as the record has it.

        Each write does and raises what its own method says; the first error in the order of the
        batch is raised. Nobody sees a part of it. A Seen that does not hold is a
        VersionConflictError. UsageError, before anything is written: a record that comes twice, or
        entities of several groups. UnsupportedError where the store cannot: more than one record
        without `transaction`, or more than it takes at once.
        """
        ...


def judge_write(declaration: Declaration, write: Write) -> None:
    """Raise UsageError for a write that the declaration forbids, whatever is there."""
    if isinstance(write, Delete) and write.expect == 0:
        raise UsageError(
            f"{declaration.name}: a delete that expects no record does nothing: drop it."
        )
    is_new = isinstance(write, Put) and write.expect == 0
    if declaration.append_only and not (is_new or isinstance(write, Seen)):
        raise UsageError(f"{declaration.name} is append_only: put a new record instead.")


def judge_batch(batch: Batch) -> None:
    """Raise UsageError for writes that no transaction may hold together."""
    seen: set[tuple[str, str]] = set()
    for declaration, write in batch:
        judge_write(declaration, write)
        if (declaration.name, write.key) in seen:
            raise UsageError(f"{declaration.name}: a batch holds a record once: make it one write.")
        seen.add((declaration.name, write.key))
    groups = sorted({declaration.group for declaration, _ in batch})
    if len(groups) > 1:
        raise UsageError(
            f"A transaction stays in one group, not {' and '.join(groups)}: declare the same "
            "group= for what is written together."
        )


def judge_version(declaration: Declaration, write: Write, version: int) -> None:
    """Raise what a write means for a record that has this version now; 0 when it is absent."""
    expect = write.version if isinstance(write, Seen) else write.expect
    if expect == 0 and version and isinstance(write, Put):
        raise AlreadyExistsError(
            f"{declaration.name}: a record with this key exists: read and change it, or take "
            "another key."
        )
    if expect not in ("any", version):
        raise VersionConflictError(
            f"{declaration.name}: the record has moved on since it was read: read it again."
        )
    if isinstance(write, Change) and not version and write.or_create is None:
        raise NotFoundError(f"{declaration.name}: no record with this key: put it first.")
