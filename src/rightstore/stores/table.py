"""The tables of SQLAlchemy that an application declares beside its entities. It maps nothing.

An application without tables needs no SQLAlchemy, so it is not loaded here.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rightstore.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from rightstore.table.track import TrackedTable


def tracked(application: str, modules: Iterable[ModuleType]) -> "tuple[TrackedTable[Any], ...]":
    """Return what `track` gave, in the order of its declaration; UsageError for a name twice."""
    found: dict[str, TrackedTable[Any]] = {}
    for each in _tracked(modules):
        other = found.setdefault(each.name, each)
        if other.model is not each.model:
            raise UsageError(
                f"{application}: {other.model.__name__} and {each.model.__name__} are both tracked "
                f"as {each.name}: give one of them another name=."
            )
    return tuple(found.values())


def check_names(application: str, entities: Iterable[str], modules: Sequence[ModuleType]) -> None:
    """Refuse an entity named as a table: in PostgreSQL both are tables of one schema."""
    taken = sorted(set(entities) & {*_names(modules)})
    if taken:
        raise UsageError(
            f"{application}: {', '.join(taken)} is the name of an entity and of a table, which "
            "share one schema in PostgreSQL: give the entity another name=."
        )


def models(modules: Iterable[ModuleType]) -> "tuple[MetaData, ...]":
    """Return the metadata of all tables that these modules hold."""
    if "sqlalchemy" not in sys.modules:
        return ()
    from rightstore.table.model import models_of  # noqa: PLC0415 - SQLAlchemy takes 0.2 s

    return models_of(modules)


def _tracked(modules: Iterable[ModuleType]) -> "tuple[TrackedTable[Any], ...]":
    if "sqlalchemy" not in sys.modules:
        return ()
    from rightstore.table.model import tracked_in  # noqa: PLC0415 - SQLAlchemy takes 0.2 s

    return tracked_in(modules)


def _names(modules: Iterable[ModuleType]) -> Iterator[str]:
    for metadata in models(modules):
        yield from (table.name for table in metadata.tables.values() if table.schema is None)
