"""Access to the records of an entity inside a transaction: reads go to the store, writes wait."""

from dataclasses import replace
from typing import Generic, TypeVar, cast

from rightstore.errors import UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.edit import Edit
from rightstore.model.entity import Entity
from rightstore.model.key import Key, encode_key
from rightstore.model.record import copied, from_stored
from rightstore.ports.records import Change, Delete, Expect, Put
from rightstore.repository import write
from rightstore.repository.buffer import Buffer
from rightstore.repository.write import Where

Ent = TypeVar("Ent", bound=Entity)


class EntityAccess(Generic[Ent]):
    """The records of one entity as one transaction sees them, its own writes included."""

    def __init__(self, kind: type[Ent], buffer: Buffer, *, at: str) -> None:
        self._kind, self._buffer, self._at = kind, buffer, at
        self._declaration = declaration_of(kind)

    @property
    def name(self) -> str:
        """The name of the entity."""
        return self._declaration.name

    async def get(self, key: Key) -> Ent | None:
        """Return a fresh copy of the record, as this transaction has put it if it has."""
        text = encode_key(self._declaration, key)
        waiting = self._buffer.pending(self._declaration, text)
        if isinstance(waiting, Delete):
            return None
        if isinstance(waiting, Change):
            raise UsageError(
                f"{self.name}: what a change makes of a record is decided when the transaction "
                "commits: read it before, or after."
            )
        if waiting is not None:
            return self._own(waiting)
        stored = await self._buffer.read(self._declaration, text)
        if stored is None:
            return None
        return from_stored(
            self._kind, stored.data, version=stored.version, schema=stored.schema, store=self._at
        )

    async def put(self, record: Ent, expect: Expect | None) -> None:
        """Let the record, as it is now, be stored at the end."""
        made = write.put(self._declaration, record, expect)
        guard = self._guard(made.key, made.expect)
        self._buffer.add(self._declaration, replace(made, expect=guard), record)

    async def change(
        self, key: Key, edits: tuple[Edit, ...], when: Where | None, or_create: Ent | None
    ) -> None:
        """Let the edits be made at the end."""
        made = write.change(self._declaration, key, edits, when=when, or_create=or_create)
        guard = self._guard(made.key, made.expect)
        self._buffer.add(self._declaration, replace(made, expect=guard))

    async def delete(self, key: Key, expect: Expect | None) -> bool:
        """Let the record be deleted at the end; whether there is one is read now."""
        made = write.delete(self._declaration, key, expect)
        is_there = await self.get(key) is not None
        if is_there or made.expect != "any":
            guard = self._guard(made.key, made.expect)
            self._buffer.add(self._declaration, replace(made, expect=guard))
        return is_there

    def _guard(self, key: str, expect: Expect) -> Expect:
        """Guard by what was read what would be written whatever is there."""
        known = self._buffer.version(self._declaration, key)
        return known if expect == "any" and known is not None else expect

    def _own(self, waiting: Put) -> Ent:
        version = 0 if waiting.expect == "any" else waiting.expect
        return from_stored(
            self._kind, cast("dict[str, object]", copied(waiting.data)), version=version
        )
