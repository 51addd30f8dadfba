"""A write as one update pipeline, which tests and writes in one step and can be sent again.

Where the test fails, and where this very write was done already, the document stays as it is: what
the server then returns tells which (`verdict`). It sends nothing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from rightstore.adapters.mongodb.document import (
    DELETED,
    ID,
    SCHEMA,
    SEEN,
    VERSION,
    WRITE_ID,
    Document,
    Layout,
)
from rightstore.adapters.mongodb.edit import edited, possible
from rightstore.adapters.mongodb.expression import Expression, Scope, expression_of, literal
from rightstore.model.query import alive
from rightstore.mutant import mutant
from rightstore.ports.records import Change, Delete, Expect, Put, Seen, Write

_OLD_VERSION: Expression = {"$ifNull": [f"${VERSION}", 0]}
_NOW_VERSION: Expression = {"$add": [_OLD_VERSION, 1]}
# A document without a version was written past us: it is not written over.
_IS_OURS: Expression = {"$ne": [{"$type": f"${VERSION}"}, "missing"]}
# What a verdict on a put or a delete needs of the document, where nothing expires.
_BRIEF: Document = {VERSION: 1, WRITE_ID: 1, DELETED: 1}


def update_of(layout: Layout, write: Write, now: datetime) -> Document:
    """Return the part of `findAndModify` that does a write, if it may be done at this moment."""
    return _UPDATES[type(write)](layout, write, now)


def creation_of(layout: Layout, write: Write) -> Document | None:
    """Return what a write leaves where nothing ever was; None when it leaves nothing there."""
    data = write.data if isinstance(write, Put) else getattr(write, "or_create", None)
    if isinstance(write, Seen) or data is None or write.expect not in ("any", 0):
        return None
    ours = {VERSION: 1, WRITE_ID: write.write_id, SCHEMA: layout.declaration.schema}
    return {ID: layout.id_of(write.key), **layout.fields(data), **ours}


def guarded(layout: Layout, write: Put, now: datetime) -> list[Document]:
    """Return the pipeline of a put that fails, instead of changing nothing, where it is refused."""
    test = {"$and": _tests(layout, write, now)}
    # No constant: a server works these out before it looks at any document.
    failure = {"$toInt": {"$concat": ["refused at ", {"$toString": _OLD_VERSION}]}}
    return [
        {"$replaceWith": {"$cond": [test, _whole(layout, write.data, write.write_id), failure]}}
    ]


def _put(layout: Layout, write: Put, now: datetime) -> Document:
    new = _whole(layout, write.data, write.write_id)
    return {**_if(_tests(layout, write, now), new), **_brief(layout)}


def _delete(layout: Layout, write: Delete, now: datetime) -> Document:
    tombstone = {ID: f"${ID}", DELETED: literal(True), **_ours(layout, write.write_id)}
    tests = [_live(layout, now), *_tests(layout, write, now)]
    return {**_if(tests, tombstone), **_brief(layout)}


def _change(layout: Layout, write: Change, now: datetime) -> Document:
    live, tests = _live(layout, now), _tests(layout, write, now)
    new = {"$mergeObjects": ["$$ROOT", edited(layout, write.edits), _ours(layout, write.write_id)]}
    may_edit: Expression = {"$and": [live, *_edit_tests(layout, write)]}
    if write.or_create is None:
        return _if([*tests, may_edit], new)
    created = _whole(layout, write.or_create, write.write_id)
    may: Expression = {"$cond": [live, may_edit, True]}
    return _if([*tests, may], {"$cond": [live, new, created]})


def _edit_tests(layout: Layout, write: Change) -> list[Expression]:
    # A record of an older schema is upgraded in this process first.
    tests: list[Expression] = [{"$gte": [f"${SCHEMA}", layout.declaration.schema]}]
    if write.when is not None:
        tests.append(expression_of(Scope(layout), write.when))
    return [*tests, *possible(layout, write.edits)]


def _seen(layout: Layout, write: Seen, _: datetime) -> Document:
    """Mark the document, so that a write of another transaction at the same time conflicts.

    Where there is none, a tombstone of version 0 is left to mark.
    """
    nothing = {VERSION: 0, DELETED: True, WRITE_ID: "", SCHEMA: layout.declaration.schema}
    mark = {"$inc": {SEEN: 1}, "$setOnInsert": nothing}
    return {"update": mark, "upsert": True, **_brief(layout)}


def _if(tests: list[Expression], new: Expression) -> Document:
    pipeline = [{"$replaceWith": {"$cond": [{"$and": tests}, new, "$$ROOT"]}}]
    return {"update": pipeline, "new": True}


def _tests(layout: Layout, write: Put | Change | Delete, now: datetime) -> list[Expression]:
    not_done = {"$ne": [f"${WRITE_ID}", literal(write.write_id)]}
    return [not_done, *_expected(layout, write.expect, now)]


def _expected(layout: Layout, expect: Expect, now: datetime) -> list[Expression]:
    if mutant("no_version_check"):
        return []
    if expect == "any":
        return [_IS_OURS]
    live = _live(layout, now)
    if expect == 0:
        return [_IS_OURS, {"$not": [live]}]
    return [live, {"$eq": [f"${VERSION}", expect]}]


def _live(layout: Layout, now: datetime) -> Expression:
    """Say whether there is a record: no tombstone, not expired, not what an upsert begins with."""
    tests: list[Expression] = [
        {"$gt": [_OLD_VERSION, 0]},
        {"$ne": [{"$ifNull": [f"${DELETED}", False]}, True]},
    ]
    unexpired = alive(layout.declaration, now)
    if unexpired is not None:
        tests.append(expression_of(Scope(layout), unexpired))
    return {"$and": tests}


def _whole(layout: Layout, data: Document, write_id: str) -> Expression:
    ours = {**_ours(layout, write_id), SCHEMA: layout.declaration.schema}
    return {"$mergeObjects": [{ID: f"${ID}"}, literal(layout.fields(data)), ours]}


def _ours(layout: Layout, write_id: str) -> Expression:
    schema = {"$max": [f"${SCHEMA}", layout.declaration.schema]}
    return {VERSION: _NOW_VERSION, WRITE_ID: literal(write_id), SCHEMA: schema}


def _brief(layout: Layout) -> Document:
    return {} if layout.declaration.retain else {"fields": _BRIEF}


_UPDATES: Mapping[type[Write], Callable[[Layout, Any, datetime], Document]] = {
    Put: _put,
    Change: _change,
    Delete: _delete,
    Seen: _seen,
}
