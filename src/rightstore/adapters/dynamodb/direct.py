"""Writes as one request each, made without reading first; InexpressibleError where that is not so.

Each is done only where it means the same as `outcome`; otherwise its condition fails, and the item
that comes back is judged there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rightstore.adapters.dynamodb.expression import Expression, InexpressibleError, edit
from rightstore.adapters.dynamodb.index import MAX_RANGE, Secondary, hashed
from rightstore.adapters.dynamodb.item import (
    DELETED,
    FORM,
    SCHEMA,
    TTL,
    VERSION,
    WRITE,
    Item,
    Items,
    check_size,
)
from rightstore.adapters.dynamodb.layout import PARTITION
from rightstore.adapters.dynamodb.wire import Request
from rightstore.model.edit import Edit, Set
from rightstore.model.key import decode_key
from rightstore.model.place import Place
from rightstore.model.query import alive
from rightstore.mutant import mutant
from rightstore.ports.records import Change, Delete, Put


class Direct:
    """Makes the requests of one entity."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def put(self, write: Put, now: datetime) -> Request:
        """Return the request of a put."""
        if write.expect == "any":
            return self._overwrite(write)
        it, version = Expression(None), write.expect + 1
        key = self._items.layout.key(write.key)
        item = self._items.record(
            key,
            write.data,
            version=version,
            write_id=write.write_id,
            schema=self._items.declaration.schema,
        )
        if write.expect == 0:
            holds = [f"attribute_not_exists({it.name(PARTITION)})"]
        else:
            holds = self._is_there(it, write.expect, now)
        return self._store(write, Text(it, holds), item)

    def delete(self, write: Delete, now: datetime) -> Request:
        """Return the request of a delete."""
        it = Expression(self._items.declaration.rename)
        holds = self._is_there(it, write.expect, now)
        if write.expect == "any":
            holds.append(self._has_form(it))
            gone = [*self._items.names, *self._items.extra_names, SCHEMA, FORM]
            sets = [*self._marks(it, write.write_id), f"{it.name(DELETED)} = {_true(it)}"]
            return self._update(write, Text(it, holds, sets, [it.name(name) for name in gone]))
        key = self._items.layout.key(write.key)
        item = self._items.tombstone(key, version=write.expect + 1, write_id=write.write_id)
        return self._store(write, Text(it, holds), item)

    def change(self, write: Change, now: datetime) -> Request:
        """Return the request of a change to a record that is there, in the form declared now."""
        it = Expression(self._items.declaration.rename)
        holds = self._is_there(it, write.expect, now)
        holds.append(f"{it.name(SCHEMA)} = {it.value({'N': str(self._items.declaration.schema)})}")
        form = it.value({"S": f"{self._items.computed}."})
        holds.append(f"begins_with({it.name(FORM)}, {form})")
        if write.when is not None:
            holds.append(it.condition(write.when))
        sets = self._marks(it, write.write_id)
        for one in write.edits:
            assignment, more = edit(it, one)
            sets.append(assignment)
            holds += more
        computed, gone = self._computed(write)
        sets += [f"{it.name(name)} = {it.value(value)}" for name, value in computed.items()]
        removed = [it.name(name) for name in gone]
        return self._update(write, Text(it, holds, sets, removed), returned="ALL_NEW")

    def _overwrite(self, write: Put) -> Request:
        """Put over whatever is there, if nothing of it can stay behind."""
        if write.data.keys() != set(self._items.names):
            raise InexpressibleError
        it = Expression(None)
        fields = self._items.fields(write.data) | self._items.extras(write.data)
        check_size(self._items.declaration, fields)
        sets = self._marks(it, write.write_id)
        fields |= {
            SCHEMA: {"N": str(self._items.declaration.schema)},
            FORM: {"S": self._items.form(write.data)},
        }
        sets += [f"{it.name(name)} = {it.value(value)}" for name, value in fields.items()]
        gone = [name for name in (*self._items.extra_names, DELETED) if name not in fields]
        holds = [
            f"(attribute_not_exists({it.name(PARTITION)}) OR attribute_exists({it.name(DELETED)})"
            f" OR {self._has_form(it)})"
        ]
        return self._update(write, Text(it, holds, sets, [it.name(name) for name in gone]))

    def _is_there(self, it: Expression, expect: Any, now: datetime) -> list[str]:
        """Return the conditions that there is a record with the version expected."""
        holds = [
            f"attribute_exists({it.name(PARTITION)})",
            f"attribute_not_exists({it.name(DELETED)})",
        ]
        if expect != "any" and not mutant("no_version_check"):
            holds.append(f"{it.name(VERSION)} = {it.value({'N': str(expect)})}")
        unexpired = alive(self._items.declaration, now)
        if unexpired is not None:
            it.rename = self._items.declaration.rename
            holds.append(it.condition(unexpired))
        return holds

    def _has_form(self, it: Expression) -> str:
        return f"{it.name(FORM)} = {it.value({'S': self._items.form(self._items.names)})}"

    def _marks(self, it: Expression, write_id: str) -> list[str]:
        version = it.name(VERSION)
        zero, one = it.value({"N": "0"}), it.value({"N": "1"})
        return [
            f"{version} = if_not_exists({version}, {zero}) + {one}",
            f"{it.name(WRITE)} = {it.value({'S': write_id})}",
        ]

    def _computed(self, write: Change) -> tuple[Item, list[str]]:
        """Return the computed attributes that the edits change, and those that go."""
        done: Item = {}
        for index in self._items.indexes:
            if any(_touches(one, place) for one in write.edits for place in index.places):
                done |= self._indexed(index, write)
        wish = self._items.declaration.retain
        if wish is None:
            return done, []
        paths = [self._items.declaration.place(path) for path in (wish.since, *(wish.where or {}))]
        if not any(_touches(one, place) for one in write.edits for place in paths):
            return done, []
        if wish.where:
            raise InexpressibleError
        ttl = self._items.ttl(_value(write.edits, paths[0]))
        return done | ttl, [] if ttl else [TTL]

    def _indexed(self, index: Secondary, write: Change) -> Item:
        if index.where:
            raise InexpressibleError
        done: Item = {}
        if any(_touches(one, index.first) for one in write.edits):
            done[index.hash] = {"B": hashed(_value(write.edits, index.first))}
        if not any(_touches(one, it.place) for one in write.edits for it in index.rest):
            return done
        known = self._key_values(write.key)
        place = b"".join(
            it.bytes_of(
                known[it.place.steps] if it.place.steps in known else _value(write.edits, it.place)
            )
            for it in index.rest
        )
        if len(place) > MAX_RANGE:
            raise InexpressibleError
        return done | {index.range: {"B": place}}

    def _key_values(self, text: str) -> dict[tuple[str, ...], Any]:
        declaration = self._items.declaration
        key: Any = decode_key(declaration, text)
        values = key if isinstance(key, tuple) else (key,)
        return {(name,): value for name, value in zip(declaration.key, values, strict=True)}

    def _update(
        self, write: Put | Change | Delete, text: "Text", *, returned: str = "UPDATED_NEW"
    ) -> Request:
        remove = f" REMOVE {', '.join(text.gone)}" if text.gone else ""
        arguments = {"Key": self._items.layout.key(write.key), "ReturnValues": returned}
        update = {"UpdateExpression": f"SET {', '.join(text.sets)}{remove}"}
        return self._request("update_item", write, text, arguments, **update)

    def _store(self, write: Put | Delete, text: "Text", item: Item) -> Request:
        """Return the request that replaces the item of a known version."""
        request = self._request("put_item", write, text, {"Item": item})
        assert write.expect != "any"  # noqa: S101 - the callers have seen to it
        return replace(request, base=write.expect)

    def _request(
        self,
        operation: str,
        write: Put | Change | Delete,
        text: "Text",
        arguments: dict[str, Any],
        **expressions: str,
    ) -> Request:
        said = text.it.arguments(ConditionExpression=" AND ".join(text.holds), **expressions)
        whole = {"TableName": self._items.table, **arguments, **said}
        return Request(operation, self._items.layout.key(write.key), write.write_id, whole)


@dataclass(frozen=True, slots=True)
class Text:
    """What a request says: its conditions, its assignments, and the attributes that go."""

    it: Expression
    holds: Sequence[str]
    sets: Sequence[str] = ()
    gone: Sequence[str] = ()


def _true(it: Expression) -> str:
    return it.value({"BOOL": True})


def _touches(one: Edit, place: Place) -> bool:
    shorter = min(len(one.place.steps), len(place.steps))
    return one.place.steps[:shorter] == place.steps[:shorter]


def _value(edits: Sequence[Edit], place: Place) -> Any:
    """Return what the edits set a place to; where they do not, only the store knows."""
    for one in edits:
        if isinstance(one, Set) and one.place.steps == place.steps:
            return one.value
    raise InexpressibleError
