"""Port `row`: the rows of a tracked table by key, outside of transactions. It runs no queries."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from rightstore.ports.records import Expect
from rightstore.table.track import Row

# The value of the primary key; a tuple in the order of its columns when it has several.
Key: TypeAlias = object


class Rows(Protocol[Row]):
    """The rows of one table. Each write is a transaction of its own that has its own outcome.

    Writes that wait at the same moment leave together, in one commit; one that is refused is
    refused alone. What is read is a transient object: columns, no relationships, no session.
    StateError: nothing was changed. StoreError: its `outcome` says whether. A caller that is
    cancelled disturbs no other; its own write may still be done.
    """

    async def get(self, key: Key) -> Row | None:
        """Return the row as it was committed last; None when there is none."""
        ...

    async def get_many(self, keys: Sequence[Key]) -> list[Row | None]:
        """Return a row or None for each key, in the order asked."""
        ...

    async def put(self, row: Row, *, expect: Expect | None = None) -> Row:
        """Store the row, in the version it carries if nothing else is expected; return it.

        It holds afterwards what the database holds: version, defaults, generated keys. A row
        without version is new. What was never set on it is left to the database: the default in a
        new row, what was there in an old one. AlreadyExistsError when it expects 0 and there is
        one; VersionConflictError when it expects another version than there is, absent included;
        ConstraintError when a rule of the table forbids it; UsageError for a row that a session
        holds, and for a table that is append_only, unless it expects 0.
        """
        ...

    async def delete(self, key: Key, *, expect: Expect = "any") -> bool:
        """Remove the row; return whether there was one.

        VersionConflictError when it expects another version than there is, absent included;
        ConstraintError when other rows refer to it; UsageError when the table is append_only.
        """
        ...
