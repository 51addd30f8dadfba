"""Declared indexes as indexes of PostgreSQL over expressions, in the same text as queries have.

The name of each is made from its definition: what was declared otherwise has another name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from rightstore.adapters.postgres.expression import (
    Constants,
    Scope,
    forms_at,
    untyped,
    value_at,
)
from rightstore.adapters.postgres.identifier import literal, namespace_of, quoted
from rightstore.adapters.postgres.position import direction
from rightstore.adapters.postgres.predicate import condition, list_at
from rightstore.adapters.postgres.table import Table
from rightstore.adapters.postgres.word import words_at
from rightstore.model.place import Place
from rightstore.model.query import equalities
from rightstore.model.wish import Index

PREFIX = "rightstore_"


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """One index of an entity's table: for people its wish, for the server its definition."""

    wish: str
    table: str
    namespace: str
    definition: str
    unique: bool = False
    text: bool = False

    @property
    def name(self) -> str:
        """A name that tells this definition from every other."""
        digest = blake2b(f"{self.table} {self.unique} {self.definition}".encode(), digest_size=12)
        return f"{PREFIX}{digest.hexdigest()}"

    def creation(self, *, gently: bool) -> str:
        """Return the statement that builds it; gently: writers go on meanwhile."""
        kind = "UNIQUE INDEX" if self.unique else "INDEX"
        how = " CONCURRENTLY" if gently else ""
        name = quoted(self.name)
        return f"CREATE {kind}{how} IF NOT EXISTS {name} ON {self.table} {self.definition}"

    @property
    def comment(self) -> str:
        """Return the statement that tells people what it is for."""
        name = f"{self.namespace}.{quoted(self.name)}"
        return f"COMMENT ON INDEX {name} IS {literal(f'rightstore {self.wish}')}"

    def removal(self) -> str:
        """Return the statement that drops it."""
        return removal(self.namespace, self.name)


def removal(namespace: str, name: str) -> str:
    """Return the statement that drops an index; writers go on meanwhile."""
    return f"DROP INDEX CONCURRENTLY IF EXISTS {namespace}.{quoted(name)}"


def indexes(table: Table) -> Iterator[StoredIndex]:
    """Yield the indexes that a declaration wishes, and one by which what has expired is found."""
    declaration, scope = table.declaration, table.scope(Constants())
    space = namespace_of(table.namespace)
    for wish in declaration.indexes:
        name = f"Index({', '.join(wish.fields)})"
        for definition in _definitions(table, scope, wish):
            yield StoredIndex(name, table.name, space, definition, wish.unique, wish.text)
    if declaration.retain:
        since = value_at(scope, declaration.place(declaration.retain.since))
        definition = f"({since}) WHERE body IS NOT NULL"
        yield StoredIndex("Retain", table.name, space, definition)


def _definitions(table: Table, scope: Scope, wish: Index) -> Iterator[str]:
    """Yield a tree for single values; lists and words each have an index of their own."""
    where = _where(table, scope, wish)
    columns = [(table.declaration.place(path), down) for path, down in wish.columns]
    if wish.text:
        for place, _ in columns:
            yield f"USING gin (({words_at(scope, place)})){where}"
        return
    for place, _ in columns:
        if place.kind.tag == "list":
            yield f"USING gin (({list_at(scope, place)}) jsonb_path_ops){where}"
    single = [(place, down) for place, down in columns if place.kind.tag != "list"]
    # A free-form value is text or a number: a tree for each, when there is one to ask for.
    samples = ("", 0) if any(not place.kind.is_scalar for place, _ in single) else ("",)
    for sample in samples if single else ():
        parts = [
            f"({_value(scope, place, sample)}) {direction(down=down)}" for place, down in single
        ]
        if not wish.unique and (single[-1][0].steps != (scope.key,)):
            parts.append(f"key {direction(down=single[-1][1])}")
        yield f"({', '.join(parts)}){where}"


def _value(scope: Scope, place: Place, sample: str | int) -> str:
    if place.kind.is_scalar:
        return value_at(scope, place)
    return untyped(*forms_at(scope, place), sample)


def _where(table: Table, scope: Scope, wish: Index) -> str:
    met = [condition(scope, it) for it in equalities(table.declaration, wish.where)]
    return f" WHERE {' AND '.join(met)}" if met else ""
