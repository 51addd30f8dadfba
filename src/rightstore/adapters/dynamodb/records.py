"""Port `records`, by key: one request where nothing fails and an expression can say it.

It finds nothing by what is in records (`query` does).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rightstore.adapters.dynamodb.direct import Direct
from rightstore.adapters.dynamodb.expression import InexpressibleError
from rightstore.adapters.dynamodb.item import VERSION, Found, Items
from rightstore.adapters.dynamodb.layout import PARTITION, SORT, Keys
from rightstore.adapters.dynamodb.outcome import guard, outcome
from rightstore.adapters.dynamodb.wire import (
    ATTEMPTS,
    ConditionFailedError,
    InvalidError,
    Item,
    Request,
    Wire,
)
from rightstore.clock import Clock
from rightstore.errors import (
    RejectedError,
    StateError,
    StoreError,
    ThrottledError,
    VersionConflictError,
)
from rightstore.ports.records import Change, Delete, Put, Stored, judge_batch, judge_write

MAX_KEYS = 100
AT_ONCE = 16


class DynamodbRecords:
    """The records of one entity by key."""

    def __init__(self, items: Items, wire: Wire, clock: Clock) -> None:
        self._items, self._wire, self._clock = items, wire, clock
        self._direct = Direct(items)

    async def get(self, key: str) -> Stored | None:
        """Return the record; None when it is absent."""
        return self._living(await self._look(self._items.layout.key(key)))

    async def get_many(self, keys: Sequence[str]) -> list[Stored | None]:
        """Return a record or None for each key, in the order asked."""
        table = self._items.table
        asked = [(table, self._items.layout.key(key)) for key in keys]
        found = await read_many(self._wire, asked)
        # Read anew for a key asked twice: what is handed out shares nothing.
        return [self._living(found.get((table, identity(key)))) for table, key in asked]

    async def put(self, write: Put) -> int:
        """Store the record; return its new version."""
        judge_write(self._items.declaration, write)
        return await self._put(write)

    async def put_many(self, writes: Sequence[Put]) -> list[int | StateError | StoreError]:
        """Put each with a request of its own, a bounded number at once: no batch has conditions."""
        judge_batch([(self._items.declaration, write) for write in writes])
        free = asyncio.Semaphore(AT_ONCE)

        async def one(write: Put) -> int | StateError | StoreError:
            async with free:
                try:
                    return await self._put(write)
                except (StateError, StoreError) as error:
                    return error

        return await asyncio.gather(*map(one, writes))

    async def change(self, write: Change) -> Stored:
        """Apply the edits to what is there now; return the record as it is then."""
        judge_write(self._items.declaration, write)
        found = self._items.found(await self._write(write, self._direct.change))
        return found.stored()

    async def delete(self, write: Delete) -> int:
        """Leave a tombstone; return its version, or 0."""
        judge_write(self._items.declaration, write)
        return _version(await self._write(write, self._direct.delete))

    async def _put(self, write: Put) -> int:
        return _version(await self._write(write, self._direct.put))

    async def _write(self, write: Any, direct: Callable[[Any, Any], Request]) -> Item:
        """Try the one request; else do to what is there what it means, bound to its version."""
        try:
            request = direct(write, self._clock.now())
            done = await self._wire.write(request)
            return done or request.arguments.get("Item", {})
        except ConditionFailedError as failed:
            item = failed.item
        except (InexpressibleError, InvalidError):
            item = await self._look(self._items.layout.key(write.key))
        return await self._renew(write, item)

    async def _renew(self, write: Any, item: Item | None) -> Item:
        for attempt in range(ATTEMPTS):
            found = self._items.found(item) if item else None
            result = outcome(self._items, write, found, self._clock.now())
            if result.item is None:
                return {VERSION: {"N": str(result.version)}}
            try:
                await self._wire.write(self._bound(write, found, result.item))
            except ConditionFailedError as failed:
                item = failed.item
            except InvalidError as error:
                raise refused(self._items) from error
            else:
                return result.item
            await self._wire.pause(attempt)
        raise VersionConflictError(
            f"{self._items.declaration.name}: others wrote the record all the time: try again."
        )

    def _bound(self, write: Any, found: Found | None, item: Item) -> Request:
        arguments = {"TableName": self._items.table, "Item": item, **guard(found)}
        base = found.version if found else 0
        key = self._items.layout.key(write.key)
        return Request("put_item", key, write.write_id, arguments, base)

    async def _look(self, key: Keys) -> Item | None:
        answer = await self._wire.read(
            "get_item", TableName=self._items.table, Key=key, ConsistentRead=True
        )
        return answer.get("Item")

    def _living(self, item: Item | None) -> Stored | None:
        found = self._items.found(item) if item else None
        if found is None or not self._items.is_alive(found, self._clock.now()):
            return None
        return found.stored()


def refused(items: Items) -> RejectedError:
    """Return the error for a request that DynamoDB finds wrong."""
    return RejectedError(
        f"dynamodb refused a write of {items.declaration.name}: its table is not as declared: run "
        "`rightstore schema check`",
        store="dynamodb",
        operation="write",
        outcome="not applied",
    )


Wanted = tuple[str, Keys]


async def read_many(
    wire: Wire, wanted: Sequence[Wanted]
) -> Mapping[tuple[str, tuple[str, ...]], Item]:
    """Return the items of these tables and keys as they are now, those there are.

    They come by table and `identity`.
    """
    left = list({(table, identity(key)): (table, key) for table, key in wanted}.values())
    found: dict[tuple[str, tuple[str, ...]], Item] = {}
    attempt = 0
    while left:
        chunk, left = left[:MAX_KEYS], left[MAX_KEYS:]
        answer = await wire.read("batch_get_item", RequestItems=_asked(chunk))
        some = answer["Responses"]
        found |= {(table, identity(it)): it for table, items in some.items() for it in items}
        undone = answer.get("UnprocessedKeys", {})
        if undone:
            attempt = attempt + 1 if not any(some.values()) else 0
            left += [(table, key) for table, asked in undone.items() for key in asked["Keys"]]
            await _wait(wire, attempt)
    return found


def _asked(chunk: Sequence[Wanted]) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for table, key in chunk:
        asked.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"].append(key)
    return asked


async def _wait(wire: Wire, attempt: int) -> None:
    if attempt > ATTEMPTS:
        raise ThrottledError(
            "dynamodb reads nothing of a batch: raise the capacity of the table",
            store="dynamodb",
            operation="batch_get_item",
            outcome="not applied",
        )
    await wire.pause(attempt + 3)


def identity(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the key of an item as one value."""
    return tuple(item[name]["S"] for name in (PARTITION, SORT) if name in item)


def _version(item: Item) -> int:
    return int(item[VERSION]["N"])
