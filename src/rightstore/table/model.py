"""Which models of SQLAlchemy an application has: those that its modules hold. It maps nothing."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.orm import DeclarativeBase

from rightstore.table.track import TrackedTable


def models_of(modules: Iterable[ModuleType]) -> tuple[MetaData, ...]:
    """Return the metadata of every model, table, tracked table and MetaData in these modules, once.

    A table is made with all others of its metadata, so one of a family is enough to find it.
    """
    found: dict[int, MetaData] = {}
    for module in modules:
        for thing in vars(module).values():
            metadata = _metadata(thing)
            if metadata is not None and metadata.tables:
                found[id(metadata)] = metadata
    return tuple(found.values())


def tracked_in(modules: Iterable[ModuleType]) -> tuple[TrackedTable[Any], ...]:
    """Return what these modules track, each once."""
    found = {
        id(thing): thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, TrackedTable)
    }
    return tuple(found.values())


def _metadata(thing: object) -> MetaData | None:
    if isinstance(thing, MetaData):
        return thing
    if isinstance(thing, Table):
        return thing.metadata
    if isinstance(thing, TrackedTable):
        return thing.table.metadata
    if isinstance(thing, type) and issubclass(thing, DeclarativeBase):
        # DeclarativeBase itself, which modules import, has none.
        return thing.__dict__.get("metadata") or getattr(thing, "metadata", None)
    return None
