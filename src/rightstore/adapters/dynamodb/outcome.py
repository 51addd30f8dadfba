"""What a write makes of an item that was read: the reference meaning, in this process. No I/O."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rightstore.adapters.dynamodb.expression import Expression
from rightstore.adapters.dynamodb.item import VERSION, WRITE, Found, Item, Items
from rightstore.adapters.dynamodb.layout import PARTITION
from rightstore.errors import ConditionError
from rightstore.model.evaluate import apply, satisfies
from rightstore.model.record import copied
from rightstore.model.upgrade import upgraded
from rightstore.ports.records import Change, Data, Delete, Put, Write, judge_version


@dataclass(frozen=True, slots=True)
class Outcome:
    """The version that the record has then, and the item to store; None: there is nothing to do."""

    version: int
    item: Item | None = field(default=None, repr=False)


def outcome(items: Items, write: Write, found: Found | None, now: datetime) -> Outcome:
    """Return what a write does to what was found, or raise what it means."""
    is_there = found is not None and items.is_alive(found, now)
    version = found.version if found and is_there else 0
    judge_version(items.declaration, write, version)
    following = (found.version if found else 0) + 1
    key = items.layout.key(write.key)
    if isinstance(write, Put):
        return _kept(items, write, write.data, following)
    if isinstance(write, Change):
        if found is None or not is_there:
            return _kept(items, write, write.or_create or {}, following)
        data, schema = _changed(items, write, found)
        return _kept(items, write, data, following, schema=schema)
    if isinstance(write, Delete) and is_there:
        return Outcome(following, items.tombstone(key, version=following, write_id=write.write_id))
    return Outcome(version)


def guard(found: Found | None) -> dict[str, Any]:
    """Return the arguments of a request that is done only to exactly what was found."""
    expression = Expression(None)
    if found is None:
        text = f"attribute_not_exists({expression.name(PARTITION)})"
    else:
        version = expression.value({"N": str(found.version)})
        writer = expression.value({"S": found.write_id})
        text = f"{expression.name(VERSION)} = {version} AND {expression.name(WRITE)} = {writer}"
    return expression.arguments(ConditionExpression=text)


def _kept(
    items: Items, write: Put | Change, data: Data, version: int, *, schema: int = 0
) -> Outcome:
    item = items.record(
        items.layout.key(write.key),
        data,
        version=version,
        write_id=write.write_id,
        schema=schema or items.declaration.schema,
    )
    return Outcome(version, item)


def _changed(items: Items, write: Change, found: Found) -> tuple[Data, int]:
    declaration = items.declaration
    data: Data = copied(found.data)
    schema = max(found.schema, declaration.schema)
    if found.schema < schema:
        data = upgraded(declaration, data, found.schema)
    if write.when is not None and not satisfies(data, write.when):
        raise ConditionError(
            f"{declaration.name}: nothing was changed: {write.when} does not hold."
        )
    apply(data, write.edits)
    return data, schema
