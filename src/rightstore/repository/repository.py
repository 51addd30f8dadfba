"""Repository: typed access to one entity, wherever it lives. Thin, over the port `records`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar, final

import msgspec

from rightstore.errors import PartialError, StateError, StoreError, UsageError
from rightstore.model import query
from rightstore.model.declaration import declaration_of
from rightstore.model.edit import Edit
from rightstore.model.entity import Entity, stamp
from rightstore.model.key import Key, encode_key
from rightstore.model.record import copied, from_stored, to_stored
from rightstore.ports.records import Expect, Find, RecordStore, Stored
from rightstore.repository import write
from rightstore.repository.answer import Read
from rightstore.repository.query import Query
from rightstore.repository.write import Emit, Where

Ent = TypeVar("Ent", bound=Entity)
MAX_MANY = 10_000
_json = msgspec.json.Encoder()


@final
class Repository(Generic[Ent]):
    """The records of one entity. Every read gives a fresh object; each call is one round trip."""

    def __init__(self, kind: type[Ent], store: RecordStore, *, at: str) -> None:
        self._kind, self._at = kind, at
        self._declaration = declaration_of(kind)
        self._records = store.records(self._declaration)
        self._queries = store.queries(self._declaration)
        self._everything = Find(orders=query.orders(self._declaration, ()))

    async def get(self, key: Key) -> Ent | None:
        """Return the record; None when there is none."""
        stored = await self._records.get(encode_key(self._declaration, key))
        return None if stored is None else self._revived(stored)

    async def get_one(self, key: Key) -> Ent:
        """Return the record; NotFoundError when there is none."""
        found = await self.get(key)
        if found is None:
            raise write.not_found(self._declaration.name)
        return found

    async def read(self, key: Key) -> Read[Ent] | None:
        """Return the record with its public JSON, its version and where it came from."""
        stored = await self._records.get(encode_key(self._declaration, key))
        if stored is None:
            return None
        value = self._revived(stored)
        # Encoded anew: what is stored may be of an older schema, or hold what is not declared.
        return Read(value, _json.encode(to_stored(value)), stored.version, self._at)

    async def put(self, record: Ent, *, expect: Expect | None = None, emit: Emit = ()) -> Ent:
        """Store the record if what is there has the version that it carries (new: if none is).

        The record handed in carries the new version afterwards. With `expect`, the version there
        must be this one (0: none there), or may be "any": then the last writer wins.
        """
        write.refuse_facts(self._declaration.name, emit)
        made = write.put(self._declaration, record, expect)
        stamp(record, await self._records.put(made))
        return record

    async def get_many(self, keys: Sequence[Key]) -> list[Ent | None]:
        """Return a record or None for each key, in the order asked."""
        self._count(keys)
        texts = [encode_key(self._declaration, key) for key in keys]
        found = await self._records.get_many(texts)
        if len(set(texts)) < len(texts):
            found = [each and replace(each, data=copied(each.data)) for each in found]
        return [None if each is None else self._revived(each) for each in found]

    async def put_many(self, records: Sequence[Ent], *, expect: Expect | None = None) -> int:
        """Put each record by itself; return how many. PartialError says what became of each.

        When a store did none of them, its StoreError is raised as it is.
        """
        self._count(records)
        made = [write.put(self._declaration, record, expect) for record in records]
        outcomes = await self._records.put_many(made)
        for record, outcome in zip(records, outcomes, strict=True):
            if isinstance(outcome, int):
                stamp(record, outcome)
        self._judge(outcomes)
        return len(outcomes)

    async def change(
        self,
        key: Key,
        *edits: Edit,
        when: Where | None = None,
        or_create: Ent | None = None,
        emit: Emit = (),
    ) -> Ent:
        """Apply the edits to what is there now, in one step; return the record as it is then.

        ConditionError when `when` does not hold of it before. Where there is none, `or_create` is
        stored as it is; without it, NotFoundError.
        """
        write.refuse_facts(self._declaration.name, emit)
        made = write.change(self._declaration, key, edits, when=when, or_create=or_create)
        return self._revived(await self._records.change(made))

    async def delete(self, key: Key, *, expect: Expect | None = None, emit: Emit = ()) -> bool:
        """Delete the record; return whether there was one. Its key keeps counting versions."""
        write.refuse_facts(self._declaration.name, emit)
        return await self._records.delete(write.delete(self._declaration, key, expect)) > 0

    def find(self, *where: Where) -> Query[Ent]:
        """Return the query of records that meet all these conditions; it does no I/O."""
        asked = query.condition(self._declaration, where)
        what = replace(self._everything, where=asked)
        return Query(self._kind, self._queries, what, at=self._at)

    def _revived(self, stored: Stored) -> Ent:
        return from_stored(
            self._kind, stored.data, version=stored.version, schema=stored.schema, store=self._at
        )

    def _count(self, given: Sequence[object]) -> None:
        if isinstance(given, str):
            raise UsageError(f"{self._declaration.name}: a text is no list of them: write […].")
        if len(given) > MAX_MANY:
            raise UsageError(
                f"{self._declaration.name}: up to {MAX_MANY} records at once: go in steps."
            )

    def _judge(self, outcomes: Sequence[int | StateError | StoreError]) -> None:
        """Raise when not all was done; what one server's fault is stays a StoreError."""
        faults = [each for each in outcomes if isinstance(each, StoreError)]
        if faults and len(faults) == len(outcomes):
            raise next((each for each in faults if each.outcome == "unknown"), faults[0])
        done = sum(isinstance(each, int) for each in outcomes)
        if done < len(outcomes):
            raise PartialError(
                f"{self._declaration.name}: {len(outcomes) - done} of {len(outcomes)} records were "
                "not stored: `outcomes` has a version or an error for each, in order.",
                outcomes=outcomes,
            )
