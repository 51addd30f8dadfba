"""The records of one transaction: what it read, and what it will write at its end, all or nothing.

Writes wait here, so that nobody holds a lock while the function thinks. What was read and not
written is checked with the writes: of the records it saw, none has moved on when it commits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rightstore.errors import AlreadyExistsError, StateError, UsageError, VersionConflictError
from rightstore.model.declaration import Declaration
from rightstore.model.entity import Entity, stamp, version_of
from rightstore.mutant import mutant
from rightstore.ports.records import (
    Change,
    Delete,
    Put,
    Records,
    Seen,
    Stored,
    judge_version,
    judge_write,
)
from rightstore.repository.scope import Scope


@dataclass(frozen=True, slots=True)
class Pending:
    """One write that waits; `is_given` when its version is not what this transaction read."""

    declaration: Declaration
    write: Put | Change | Delete
    is_given: bool
    record: Entity | None = None


class Buffer:
    """What one transaction has read and will write. One write per record: some stores have no more.

    In a transaction of SQL the database itself sees to what was read.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._reads: dict[tuple[str, str], tuple[Declaration, int]] = {}
        self._writes: dict[tuple[str, str], Pending] = {}
        self._versions: list[int] = []
        self._is_refused = False
        self._is_sealed = False

    def check_open(self) -> None:
        """Refuse what comes after the end of the transaction."""
        self._scope.check_open()

    def pending(self, declaration: Declaration, key: str) -> Put | Change | Delete | None:
        """Return the write of a record that waits already."""
        self._scope.check_open()
        found = self._writes.get((declaration.name, key))
        return found.write if found else None

    def version(self, declaration: Declaration, key: str) -> int | None:
        """Return the version that was read; 0 when it was absent, None when it was not read."""
        found = self._reads.get((declaration.name, key))
        return found[1] if found else None

    async def read(self, declaration: Declaration, key: str) -> Stored | None:
        """Read a record and remember its version, which must not change from look to look."""
        stored = await self._scope.records(declaration).get(key)
        version = stored.version if stored else 0
        _, first = self._reads.setdefault((declaration.name, key), (declaration, version))
        if version != first:
            raise VersionConflictError(
                f"{declaration.name}: a record has moved on since this transaction read it first: "
                "run it again."
            )
        return stored

    def add(
        self, declaration: Declaration, write: Put | Change | Delete, record: Entity | None = None
    ) -> None:
        """Let a write wait for the end; refuse what can be seen to fail."""
        if self._is_sealed:
            raise UsageError(
                f"{declaration.name}: this transaction has ended: await its writes within it."
            )
        if (declaration.name, write.key) in self._writes:
            raise UsageError(
                f"{declaration.name}: a transaction writes a record once: make it one write."
            )
        judge_write(declaration, write)
        known = self.version(declaration, write.key)
        if known is not None:
            self._judge(declaration, write, known)
        is_given = known is None and write.expect != "any"
        self._writes[declaration.name, write.key] = Pending(declaration, write, is_given, record)

    async def commit(self, mark: tuple[Declaration, Put] | None = None) -> None:
        """Write everything, and the mark, in one step; nothing when there is nothing to write."""
        self._is_sealed = True
        writes: list[tuple[Declaration, Put | Change | Delete]] = [mark] if mark else []
        writes += [(each.declaration, each.write) for each in self._writes.values()]
        if self._scope.unit is not None:
            done = [
                await _write(self._scope.records(declaration), write)
                for declaration, write in writes
            ]
        else:
            checks = [] if mutant("no_seen") else list(self._unwritten())
            if not writes and len(checks) < 2:
                return
            done = await self._scope.store.write([*writes, *checks])
        self._versions = done[1:] if mark else done

    @contextmanager
    def foreseen(self) -> Iterator[None]:
        """Let the records carry the versions that they will have, as a result that is kept shows.

        One that comes back where another was deleted will have a greater one: only the store knows.
        """
        carried = [(record, version_of(record)) for record, _ in self._puts()]
        try:
            for record, write in self._puts():
                if write.expect != "any":
                    stamp(record, write.expect + 1)
            yield
        finally:
            for record, version in carried:
                stamp(record, version)

    def stamp(self) -> None:
        """Give the records that were put their new versions: once the commit is certain."""
        for each, version in zip(self._writes.values(), self._versions, strict=False):
            if each.record is not None:
                stamp(each.record, version)

    def _puts(self) -> Iterator[tuple[Entity, Put | Change | Delete]]:
        for each in self._writes.values():
            if each.record is not None:
                yield each.record, each.write

    async def is_final(self, error: StateError) -> bool:
        """Tell whether a conflict stays one when the function runs again.

        It does when a version that the function brought along is not there: it would bring it
        again. What it read itself, it reads anew.
        """
        if self._is_refused:
            return True
        if isinstance(error, AlreadyExistsError):
            return not any(
                each.write.expect == 0 and not each.is_given for each in self._writes.values()
            )
        for each in self._writes.values():
            if each.is_given:
                stored = await self._scope.outside(each.declaration).get(each.write.key)
                if each.write.expect != (stored.version if stored else 0):
                    return True
        return False

    def refuse(self) -> None:
        """Note that the function brought a version along that is not there."""
        self._is_refused = True

    def _judge(self, declaration: Declaration, write: Put | Change | Delete, known: int) -> None:
        try:
            judge_version(declaration, write, known)
        except StateError:
            self.refuse()
            raise

    def _unwritten(self) -> Iterator[tuple[Declaration, Seen]]:
        for (name, key), (declaration, version) in self._reads.items():
            if (name, key) not in self._writes:
                yield declaration, Seen(key, version)


async def _write(records: Records, write: Put | Change | Delete) -> int:
    """Do one write of a batch by the method that is made for it."""
    if isinstance(write, Put):
        return await records.put(write)
    if isinstance(write, Change):
        return (await records.change(write)).version
    return await records.delete(write)
