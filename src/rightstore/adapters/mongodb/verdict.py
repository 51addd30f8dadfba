"""What became of a write, from the document that the server returned with it. It asks nothing."""

from datetime import datetime
from typing import NoReturn

from rightstore.adapters.mongodb.document import (
    DELETED,
    SCHEMA,
    VERSION,
    WRITE_ID,
    Document,
    Layout,
)
from rightstore.errors import ConditionError, ConstraintError, VersionConflictError
from rightstore.model.evaluate import apply, satisfies
from rightstore.model.query import alive
from rightstore.model.record import copied
from rightstore.model.upgrade import upgraded
from rightstore.ports.records import Change, Delete, Seen, Write, judge_version


def is_done(write: Write, document: Document | None) -> bool:
    """Tell whether the document is what this write left."""
    if document is None or isinstance(write, Seen):
        return False
    found: bool = document.get(WRITE_ID) == write.write_id
    return found


def version_of(layout: Layout, write: Write, document: Document | None, now: datetime) -> int:
    """Return the version that a write left (0: there was nothing to delete), or raise the refusal.

    The document is the one that the write was tested on: what it says is exact.
    """
    if document is not None and is_done(write, document):
        version: int = document[VERSION]
        return version
    live = live_version(layout, document, now)
    judge_version(layout.declaration, write, live)
    if isinstance(write, Seen):
        return live
    if isinstance(write, Delete) and not live:
        return 0
    if isinstance(write, Change) and document is not None and live:
        _refuse(layout, write, document)
    raise VersionConflictError(
        f"{layout.name}: the record has moved on while it was written: read it again."
    )


def live_version(layout: Layout, document: Document | None, now: datetime) -> int:
    """Return the version of what is there, 0 when it is absent."""
    if document is None or document.get(DELETED):
        return 0
    layout.judge(document)
    unexpired = alive(layout.declaration, now)
    if unexpired is not None and not satisfies(layout.data(copied(document)), unexpired):
        return 0
    version: int = document[VERSION]
    return version


def changed(layout: Layout, write: Change, document: Document) -> Document:
    """Return what a change makes of a live document of whatever schema, or raise its refusal."""
    declaration = layout.declaration
    schema = document[SCHEMA]
    data = layout.data(copied(document))
    if schema < declaration.schema:
        data = upgraded(declaration, data, schema)
    if write.when is not None and not satisfies(data, write.when):
        raise ConditionError(
            f"{declaration.name}: nothing was changed: {write.when} does not hold."
        )
    apply(data, write.edits)
    return data


def _refuse(layout: Layout, write: Change, document: Document) -> NoReturn:
    changed(layout, write, document)
    raise ConstraintError(
        f"{layout.name}: nothing was changed: the server cannot keep what the edits make of it."
    )
