"""The indexes of one entity, as MongoDB is told of them; each name says what the index is.

An index that is declared otherwise has another name, so names are all there is to compare.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from pymongo import ASCENDING, DESCENDING

from rightstore.adapters.mongodb.document import Layout
from rightstore.model.kind import Tag
from rightstore.model.query import equalities
from rightstore.model.wish import Index, Retain

# Indexes with other names are somebody else's, and stay.
PREFIX = "rs_"
UNIQUE, EXPIRY = f"{PREFIX}unique_", f"{PREFIX}expiry_"
# The smallest value of each type: all values are from there on, None and what is missing are not.
_SMALLEST: dict[Tag, Any] = {
    "str": "",
    "date": "",
    "int": -math.inf,
    "float": -math.inf,
    "decimal": -math.inf,
    "bool": False,
    "datetime": datetime(1, 1, 1, tzinfo=UTC),
    "uuid": UUID(int=0),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An index as it shall be."""

    name: str
    keys: tuple[tuple[str, int], ...]
    options: dict[str, Any] = field(hash=False)

    @property
    def document(self) -> dict[str, Any]:
        """The index as `createIndexes` takes it."""
        return {"key": dict(self.keys), "name": self.name, **self.options}


def indexes_of(layout: Layout) -> list[Wanted]:
    """Return the indexes that an entity declares, without that of its key."""
    found = {wanted.name: wanted for wanted in _wanted(layout)}
    expiry = [wanted.keys for wanted in found.values() if wanted.name.startswith(EXPIRY)]
    # The server keeps no second index of the same fields beside one that removes.
    return [wanted for wanted in found.values() if wanted.keys not in expiry or wanted.options]


def _wanted(layout: Layout) -> Iterator[Wanted]:
    for index in layout.declaration.indexes:
        if not index.text:
            yield _declared(layout, index)
    if layout.declaration.retain is not None:
        yield _expiry(layout, layout.declaration.retain)


def _declared(layout: Layout, index: Index) -> Wanted:
    keys = tuple(
        (_path(layout, path), DESCENDING if down else ASCENDING) for path, down in index.columns
    )
    where = _where(layout, index.where)
    if not index.unique:
        return _named(PREFIX, keys, {"partialFilterExpression": where} if where else {})
    for path, _ in index.columns:
        kind = layout.declaration.place(path).kind
        where = {**where, _path(layout, path): {"$gte": _SMALLEST[kind.tag]}}
    return _named(UNIQUE, keys, {"unique": True, "partialFilterExpression": where})


def _expiry(layout: Layout, retain: Retain) -> Wanted:
    keys = ((_path(layout, retain.since), ASCENDING),)
    where = _where(layout, retain.where)
    options: dict[str, Any] = {"expireAfterSeconds": math.ceil(retain.age.total_seconds())}
    if where:
        options["partialFilterExpression"] = where
    return _named(EXPIRY, keys, options)


def _where(layout: Layout, where: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, asked in zip(where or {}, equalities(layout.declaration, where), strict=True):
        value: Any = asked
        found[_path(layout, path)] = {"$eq": value.value}
    return found


def _path(layout: Layout, path: str) -> str:
    return ".".join(layout.path(layout.declaration.place(path)))


def _named(prefix: str, keys: tuple[tuple[str, int], ...], options: dict[str, Any]) -> Wanted:
    mark = blake2b(repr((keys, sorted(options.items()))).encode(), digest_size=6).hexdigest()
    fields = "_".join(path for path, _ in keys)[:60]
    return Wanted(f"{prefix}{fields}_{mark}", keys, options)
