"""Does one write of one record, alone or in a transaction, and tells what became of it.

What is there is written by one update, what was never there by one insert. A write begins with the
likelier of the two; only where the other one was right it needs both.
An upsert would need one command, but not every server tells what it did when two of them meet.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from rightstore.adapters.mongodb.document import (
    ID,
    SCHEMA,
    VERSION,
    WRITE_ID,
    Document,
    Layout,
    as_stored,
)
from rightstore.adapters.mongodb.step import creation_of, update_of
from rightstore.adapters.mongodb.verdict import changed, is_done, live_version, version_of
from rightstore.errors import ConstraintError, VersionConflictError
from rightstore.ports.records import Change, Put, Write, judge_version

# How often a write may meet another one of a key that was not there, or of an older schema.
ATTEMPTS = 20
DUPLICATE = 11000


@dataclass(frozen=True, slots=True)
class Done:
    """What a write left: its version, and the document where the write asked for it."""

    version: int
    document: Document | None


@dataclass(frozen=True, slots=True)
class Runner:
    """How commands are run here: `update` gives the document that an update left or found.

    `insert` gives the errors of an insert. `is_alone` says that an insert which fails breaks
    nothing else.
    """

    now: Callable[[], datetime]
    update: Callable[[Layout, Write, Document], Awaitable[Document | None]]
    insert: Callable[[Layout, Document], Awaitable[list[Mapping[str, Any]]]]
    is_alone: bool


async def perform(layout: Layout, write: Write, runner: Runner) -> Done:
    """Do a write, or raise why it was refused."""
    creation = creation_of(layout, write)
    if runner.is_alone and isinstance(write, Put) and write.expect == 0 and creation:
        created = await _create(layout, creation, runner)
        if created:
            return created
    for _attempt in range(ATTEMPTS):
        done = await _attempted(layout, write, creation, runner)
        if done:
            return done
    raise VersionConflictError(
        f"{layout.name}: others write this record all the time: nothing was changed, try again."
    )


async def _attempted(
    layout: Layout, write: Write, creation: Document | None, runner: Runner
) -> Done | None:
    """Write what is there, or else what was not; None when another one came first with that."""
    moment = runner.now()
    try:
        document = await runner.update(layout, write, command_of(layout, write, moment))
    except DuplicateKeyError as error:
        if not is_about_key(error.details or {}):
            raise taken(layout) from error
        return None
    if document is None and creation:
        return await _create(layout, creation, runner)
    if isinstance(write, Change) and document is not None and not is_done(write, document):
        live = live_version(layout, document, moment)
        judge_version(layout.declaration, write, live)
        if live and document[SCHEMA] < layout.declaration.schema:
            return await _upgrade(layout, write, document, runner)
    return Done(version_of(layout, write, document, moment), document)


def command_of(layout: Layout, write: Write, moment: datetime) -> Document:
    """Return the command that does a write to what is there, if it may be done at this moment."""
    return {
        "findAndModify": layout.name,
        "query": {ID: {"$eq": layout.id_of(write.key)}},
        **update_of(layout, write, moment),
    }


async def _create(layout: Layout, creation: Document, runner: Runner) -> Done | None:
    """Insert what was never there; None when there is something by now."""
    try:
        errors = await runner.insert(layout, creation)
    except DuplicateKeyError as duplicate:
        errors = [duplicate.details or {"code": DUPLICATE}]
    for error in errors:
        if error["code"] != DUPLICATE or not is_about_key(error):
            raise taken(layout) if error["code"] == DUPLICATE else _refused(layout)
        return None
    return Done(1, creation)


def is_about_key(error: Mapping[str, Any]) -> bool:
    """Tell whether it is the key that is there already, not a value of a unique index."""
    return list(error.get("keyPattern") or ()) == [ID]


def taken(layout: Layout) -> ConstraintError:
    """Return the error of a unique index."""
    return ConstraintError(
        f"{layout.name}: another record has the same value in a field of a unique Index: take "
        "another value."
    )


def _refused(layout: Layout) -> ConstraintError:
    return ConstraintError(
        f"{layout.name}: mongodb does not keep this record: it is larger than 16 MB, or a "
        "validator of the collection forbids it."
    )


async def _upgrade(
    layout: Layout, write: Change, document: Document, runner: Runner
) -> Done | None:
    """Change a record of an older schema here; None when it has moved on meanwhile."""
    version: int = document[VERSION]
    data = changed(layout, write, document)
    put = Put(write.key, data, version, write.write_id)
    try:
        done = await perform(layout, put, runner)
    except VersionConflictError:
        if write.expect == "any":
            return None
        raise
    ours = {ID: document[ID], VERSION: done.version, WRITE_ID: write.write_id}
    new = {**layout.fields(data), **ours, SCHEMA: layout.declaration.schema}
    return Done(done.version, as_stored(new))
