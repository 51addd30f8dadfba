"""Computes the attributes of indexes and of expiry for records that were written without them."""

from contextlib import suppress
from typing import Any

from rightstore.adapters.dynamodb.expression import Expression
from rightstore.adapters.dynamodb.item import FORM, VERSION, WRITE, Found, Items
from rightstore.adapters.dynamodb.wire import ConditionFailedError, Wire


async def fill(wire: Wire, items: Items) -> None:
    """Bring every record's computed attributes up to the declaration; versions stay as they are.

    It may be broken off and begun again at any time. A record that is written meanwhile is left to
    who writes it.
    """
    start: dict[str, Any] = {}
    while True:
        page = await wire.read("scan", TableName=items.table, ConsistentRead=True, **start)
        for item in page["Items"]:
            await _fill_one(wire, items, items.found(item))
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


async def _fill_one(wire: Wire, items: Items, found: Found) -> None:
    if found.data is None:
        return
    form = items.form(found.data)
    if found.item.get(FORM) == {"S": form}:
        return
    extras = items.extras(found.data) | {FORM: {"S": form}}
    it = Expression(None)
    sets = ", ".join(f"{it.name(name)} = {it.value(value)}" for name, value in extras.items())
    gone = [it.name(name) for name in items.extra_names if name not in extras]
    version, writer = it.value({"N": str(found.version)}), it.value({"S": found.write_id})
    key = {name: dict(found.item[name]) for name in items.layout.attributes}
    arguments = it.arguments(
        UpdateExpression=f"SET {sets}" + (f" REMOVE {', '.join(gone)}" if gone else ""),
        ConditionExpression=f"{it.name(VERSION)} = {version} AND {it.name(WRITE)} = {writer}",
    )
    # Not resolved when its reply is lost: it is done again with the whole.
    with suppress(ConditionFailedError):
        await wire.send("update_item", TableName=items.table, Key=key, **arguments)
