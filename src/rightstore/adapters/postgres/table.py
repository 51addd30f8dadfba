"""The table of an entity, as every statement about its records sees it. It runs none.

Columns: key, version, body (json; NULL is a tombstone), schema, write_id of the last write, and
wal, how far the server's log was at that write: by it a lost reply is told from an older write.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rightstore.adapters.postgres.body import sortable
from rightstore.adapters.postgres.expression import Arguments, Scope, scope_of, value_at
from rightstore.adapters.postgres.identifier import namespace_of, table_of
from rightstore.adapters.postgres.predicate import condition
from rightstore.clock import SYSTEM, Clock
from rightstore.model.declaration import Declaration
from rightstore.model.query import equalities

COLUMNS = "key, version, body, schema, write_id, wal"
# How far the server's write-ahead log is: it only grows, also over restarts.
WAL = "(pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"
_MOMENT = (
    "to_char((statement_timestamp() AT TIME ZONE 'UTC') - make_interval(secs => {age}), "
    "'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A text and its parameters."""

    text: str
    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """An entity's table. What expires does so by the server's clock, or by one of a test."""

    declaration: Declaration
    namespace: str
    clock: Clock = SYSTEM

    @property
    def name(self) -> str:
        """The table, quoted, in its schema."""
        return table_of(self.namespace, self.declaration)

    @property
    def is_watched(self) -> bool:
        """Whether what expires does so by a clock of ours, whose moment is a parameter."""
        return self.declaration.retain is not None and self.clock is not SYSTEM

    def scope(self, arguments: Arguments) -> Scope:
        """Return what places mean in a statement over its rows."""
        return scope_of(self.declaration, namespace_of(self.namespace), arguments)

    def lives(self, scope: Scope) -> str:
        """Return the condition that a row is a record: neither deleted nor expired."""
        expired = self.expired(scope)
        there = f"{scope.body} IS NOT NULL"
        return there if expired is None else f"({there} AND ({expired}) IS NOT TRUE)"

    def expired(self, scope: Scope) -> str | None:
        """Return the condition that a record has expired; None where none ever does."""
        retain = self.declaration.retain
        if retain is None:
            return None
        since = value_at(scope, self.declaration.place(retain.since))
        met = [condition(scope, it) for it in equalities(self.declaration, retain.where)]
        return " AND ".join([f"{since} <= {self._moment(scope)}", *met])

    def _moment(self, scope: Scope) -> str:
        """Return the moment that what is kept since then or earlier expires at."""
        age = self.declaration.retain.age if self.declaration.retain else None
        if age is None or self.clock is SYSTEM:
            seconds = age.total_seconds() if age else 0.0
            return f'({_MOMENT.format(age=seconds)} COLLATE "C")'
        moment = max(self.clock.now() - age, datetime.min.replace(tzinfo=UTC))
        return scope.arguments.add(sortable(moment), "text")
