"""What one entity has in memory: rows by key, tombstones too, and what unique indexes hold taken.

It judges nothing (`table` does) but uniqueness.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rightstore.errors import ConstraintError
from rightstore.model.declaration import Declaration
from rightstore.model.evaluate import satisfies, value_at
from rightstore.model.query import equalities

# The fields of a unique index, and the values that a record has there.
Claim: TypeAlias = tuple[tuple[str, ...], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it is kept; a tombstone has no data."""

    version: int
    data: dict[str, Any] | None
    schema: int
    write_id: str
    claims: frozenset[Claim] = frozenset()


@dataclass(slots=True)
class Shelf:
    """The rows of an entity's name; several declarations of it, old and new, share one."""

    rows: dict[str, Kept] = field(default_factory=dict)
    taken: dict[Claim, str] = field(default_factory=dict)

    def place(self, declaration: Declaration, key: str, row: Kept | None) -> None:
        """Make this the row of a key, or no row; ConstraintError when a claim is another's."""
        for claim in row.claims if row else ():
            if self.taken.get(claim, key) != key:
                raise ConstraintError(
                    f"{declaration.name}: another record has the same {', '.join(claim[0])}, and "
                    "a unique Index forbids it: take another value."
                )
        old = self.rows.pop(key, None)
        for claim in old.claims if old else ():
            del self.taken[claim]
        if row:
            self.rows[key] = row
            self.taken.update(dict.fromkeys(row.claims, key))


def claims(declaration: Declaration, data: dict[str, Any]) -> Iterator[Claim]:
    """Yield what a record takes in each unique index that holds it; None takes nothing."""
    for index in declaration.indexes:
        paths = tuple(path for path, _ in index.columns)
        if index.unique and all(satisfies(data, it) for it in equalities(declaration, index.where)):
            values = tuple(value_at(data, declaration.place(path)) for path in paths)
            if None not in values:
                yield paths, values
