"""Records: keyed access within a transaction, or to a table. It asks no questions: Query does."""

from typing import Generic, Protocol, TypeVar, final

from rightstore.model.edit import Edit
from rightstore.model.key import Key
from rightstore.ports.records import Expect
from rightstore.repository.write import Emit, Where, not_found, refuse_facts

T = TypeVar("T")


class Access(Protocol[T]):
    """How `Records` reaches what it is about: a transaction's buffer, a session, a store's rows."""

    @property
    def name(self) -> str:
        """The name of the entity or table, for messages."""
        ...

    async def get(self, key: Key) -> T | None:
        """Return the record; None when there is none."""
        ...

    async def put(self, record: T, expect: Expect | None) -> None:
        """Store the record, guarded by the version that it carries or by `expect`."""
        ...

    async def change(
        self, key: Key, edits: tuple[Edit, ...], when: Where | None, or_create: T | None
    ) -> None:
        """Apply the edits to what is there, if `when` holds of it."""
        ...

    async def delete(self, key: Key, expect: Expect | None) -> bool:
        """Delete the record; return whether there was one."""
        ...


@final
class Records(Generic[T]):
    """The records of one entity or the rows of one table, by key."""

    __slots__ = ("_access",)

    def __init__(self, access: Access[T]) -> None:
        self._access = access

    async def get(self, key: Key) -> T | None:
        """Return the record; None when there is none."""
        return await self._access.get(key)

    async def get_one(self, key: Key) -> T:
        """Return the record; NotFoundError when there is none."""
        found = await self._access.get(key)
        if found is None:
            raise not_found(self._access.name)
        return found

    async def put(self, record: T, *, expect: Expect | None = None, emit: Emit = ()) -> T:
        """Store the record if what is there has the version that it carries (new: if none is).

        In a transaction that is decided at its end; from then on the record has the new version.
        """
        refuse_facts(self._access.name, emit)
        await self._access.put(record, expect)
        return record

    async def change(
        self,
        key: Key,
        *edits: Edit,
        when: Where | None = None,
        or_create: T | None = None,
        emit: Emit = (),
    ) -> None:
        """Apply the edits to what is there, if `when` holds of it: decided at the end.

        ConditionError when it does not hold; NotFoundError when there is nothing to change and no
        `or_create`, which is stored as it is.
        """
        refuse_facts(self._access.name, emit)
        await self._access.change(key, edits, when, or_create)

    async def delete(self, key: Key, *, expect: Expect | None = None, emit: Emit = ()) -> bool:
        """Delete the record; return whether there was one."""
        refuse_facts(self._access.name, emit)
        return await self._access.delete(key, expect)
