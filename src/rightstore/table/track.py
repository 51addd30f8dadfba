"""`track`: a table whose rows have versions that hold for ever. It stays relational, never moves.

Nothing is written to a log here, and nothing in the database is changed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Column, Date, DateTime, Table, inspect
from sqlalchemy.orm import DeclarativeBase, Mapper

from rightstore.errors import UsageError
from rightstore.model.wish import Personal, Retain
from rightstore.table.versioned import COLUMN

Row = TypeVar("Row", bound=DeclarativeBase)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
OURS = "rightstore_"
_CONSTANTS = (str, int, bool, type(None))


@dataclass(frozen=True, slots=True)
class TrackedTable(Generic[Row]):
    """A table as it was handed to `track`."""

    model: type[Row]
    name: str
    append_only: bool = False
    retain: Retain | None = None
    personal: Personal | None = None

    @property
    def mapper(self) -> Mapper[Row]:
        """How SQLAlchemy maps the model."""
        return cast("Mapper[Row]", inspect(self.model))

    @property
    def table(self) -> Table:
        """The table itself."""
        return cast("Table", self.mapper.local_table)

    @property
    def key(self) -> tuple[Column[Any], ...]:
        """The columns of its primary key."""
        return tuple(self.table.primary_key.columns)


def track(
    model: type[Row],
    *,
    name: str | None = None,
    append_only: bool = False,
    retain: Retain | None = None,
    personal: Personal | None = None,
) -> TrackedTable[Row]:
    """Make the database itself keep the versions of a table's rows, whoever writes them.

    `append_only`: it refuses UPDATE, DELETE and TRUNCATE, of any origin. `retain`: rows are removed
    when they have expired, also where it is append_only. UsageError for what cannot be meant.
    """
    mapper: object = inspect(model, raiseerr=False)
    if not isinstance(mapper, Mapper) or not isinstance(mapper.local_table, Table):
        raise UsageError(f"track({model!r}): pass a model of SQLAlchemy that has a table.")
    tracked = TrackedTable(model, name or mapper.local_table.name, append_only, retain, personal)
    complaints = [*_names(tracked), *_shape(mapper, tracked), *_wishes(tracked)]
    if complaints:
        raise UsageError(f"track({model.__name__}): {'; '.join(complaints)}.")
    return tracked


def _names(tracked: TrackedTable[Any]) -> Iterator[str]:
    for what in {tracked.name, tracked.table.name}:
        if not NAME.fullmatch(what) or what.startswith(OURS):
            yield (
                f"{what!r} is no name for it: take letters, digits and '_', 63 at most, and not "
                f"{OURS} at the beginning"
            )
    if tracked.table.schema is not None:
        yield "it names a schema: leave schema= out, the application's own is used"


def _shape(mapper: Mapper[Any], tracked: TrackedTable[Any]) -> Iterator[str]:
    version = mapper.version_id_col
    if version is None or version.name != COLUMN or mapper.version_id_generator is not False:
        yield f"it has no version: declare class {tracked.model.__name__}(Versioned, Base)"
    if mapper.inherits is not None:
        yield "it inherits from another model: track that one, or map this one by itself"


def _wishes(tracked: TrackedTable[Any]) -> Iterator[str]:
    columns = tracked.table.columns
    if tracked.personal is not None:
        for name in (tracked.personal.subject, *tracked.personal.fields, *tracked.personal.lookup):
            if name not in columns:
                yield f"Personal names {name!r}, which is no column"
    if tracked.retain is not None:
        yield from _retention(tracked.retain, tracked.table)


def _retention(retain: Retain, table: Table) -> Iterator[str]:
    since = table.columns.get(retain.since)
    if since is None or not isinstance(since.type, (DateTime, Date)):
        yield f"Retain counts from {retain.since!r}, which is no column of dates or times"
    if retain.age < timedelta(0):
        yield "Retain has a negative age"
    for name, value in (retain.where or {}).items():
        if name not in table.columns:
            yield f"Retain names {name!r}, which is no column"
        elif not isinstance(value, _CONSTANTS):
            yield f"Retain compares {name!r} with a {type(value).__name__}: str, int, bool or None"
