"""Port `records`, by what is in them: through a declared index, and never by a scan.

An index of DynamoDB follows its table a little later, and it holds keys only: every record is read
from the table, consistently, and counts only where it still is what the index says.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from rightstore.adapters.dynamodb.access import Access, ByIndex, ByKey, ByPartition, Nowhere, access
from rightstore.adapters.dynamodb.item import Found, Items
from rightstore.adapters.dynamodb.layout import PARTITION
from rightstore.adapters.dynamodb.records import identity, read_many
from rightstore.adapters.dynamodb.wire import Item, Wire
from rightstore.clock import Clock
from rightstore.errors import UnsupportedError
from rightstore.model.condition import Condition, Expr
from rightstore.model.evaluate import is_after, satisfies, sort_key
from rightstore.model.group import Row, is_grouped, rows_of
from rightstore.ports.records import Find, Stored

PAGE = 100
# What is sorted here because no index has its order.
MAX_SORTED = 10_000


class DynamodbQueries:
    """The records of one entity by what is in them."""

    def __init__(self, items: Items, wire: Wire, clock: Clock) -> None:
        self._items, self._wire, self._clock = items, wire, clock

    async def find(self, what: Find) -> list[Stored]:
        """Return the records that meet the condition, in order."""
        way = access(self._items, what)
        is_ordered = not what.orders or (isinstance(way, ByIndex) and way.is_ordered)
        found: list[Stored] = []
        if what.limit == 0:
            return found
        async for one in self._walk(way, what):
            found.append(one)
            if is_ordered and len(found) == what.limit:
                break
            if not is_ordered and len(found) > MAX_SORTED:
                raise UnsupportedError(
                    f"{self._items.declaration.name}: no index of dynamodb has this order, and "
                    f"more than {MAX_SORTED} records are to be sorted: declare an Index that has "
                    "the fields of the order after those of the condition."
                )
        if not is_ordered:
            found.sort(key=lambda one: sort_key(one.data, what.orders))
        return found[: what.limit]

    async def count(self, where: Condition | None = None) -> int:
        """Return how many records meet the condition."""
        what = Find(where)
        way = access(self._items, what)
        if isinstance(way, ByIndex) and way.is_exact and self._items.declaration.retain is None:
            pages = self._pages({**_index_query(self._items, way), "Select": "COUNT"})
            return sum([page["Count"] async for page in pages])
        return len([one async for one in self._walk(way, what)])

    async def select(self, what: Find, columns: Sequence[Expr[Any]]) -> list[Row]:
        """Return the rows of what `find` would return."""
        if is_grouped(columns):
            raise UnsupportedError(
                f"{self._items.declaration.name}: dynamodb has no aggregates: count() a condition, "
                "or keep the sums in a record that each write changes."
            )
        return rows_of([one.data for one in await self.find(what)], columns)

    async def _walk(self, way: Access, what: Find) -> AsyncIterator[Stored]:
        """Yield what meets the condition, each record once, in the order of the way."""
        seen: set[str] = set()
        async for item in self._items_of(way, what):
            found = self._items.found(item)
            if self._meets(found, what) and found.key not in seen:
                seen.add(found.key)
                yield found.stored()

    def _meets(self, found: Found, what: Find) -> bool:
        if found.data is None or not self._items.is_alive(found, self._clock.now()):
            return False
        if what.where is not None and not satisfies(found.data, what.where):
            return False
        return what.after is None or is_after(found.data, what.orders, what.after)

    async def _items_of(self, way: Access, what: Find) -> AsyncIterator[Item]:
        if isinstance(way, ByIndex):
            limit = min(PAGE, what.limit + 1) if what.limit and way.is_ordered else PAGE
            async for page in self._pages({**_index_query(self._items, way), "Limit": limit}):
                for item in await self._current(way, page["Items"]):
                    yield item
            return
        if not isinstance(way, Nowhere):
            async for page in self._pages(self._table_query(way)):
                for item in page["Items"]:
                    yield item

    async def _current(self, way: ByIndex, entries: Sequence[Item]) -> list[Item]:
        """Return the records behind entries, as they are now, of which the entries still hold."""
        items = self._items
        wanted = [
            (items.table, {name: dict(entry[name]) for name in items.layout.attributes})
            for entry in entries
        ]
        found = await read_many(self._wire, wanted)
        pairs = [(entry, found.get((items.table, identity(entry)))) for entry in entries]
        names = (way.index.hash, way.index.range)
        return [
            item
            for entry, item in pairs
            if item and all(item.get(name) == entry[name] for name in names)
        ]

    def _table_query(self, way: ByKey | ByPartition) -> dict[str, Any]:
        if isinstance(way, ByKey):
            key = self._items.layout.key(way.key)
        else:
            key = {PARTITION: {"S": way.partition}}
        names = {f"#{name}": name for name in key}
        return {
            "TableName": self._items.table,
            "ConsistentRead": True,
            "KeyConditionExpression": " AND ".join(f"#{name} = :{name}" for name in key),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {f":{name}": value for name, value in key.items()},
        }

    async def _pages(self, query: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        start: Mapping[str, Any] = {}
        while True:
            page = await self._wire.read("query", **query, **start)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _index_query(items: Items, way: ByIndex) -> dict[str, Any]:
    return {
        "TableName": items.table,
        "IndexName": way.index.name,
        "KeyConditionExpression": "#h = :h AND #r BETWEEN :low AND :high",
        "ExpressionAttributeNames": {"#h": way.index.hash, "#r": way.index.range},
        "ExpressionAttributeValues": {
            ":h": {"B": way.hash},
            ":low": {"B": way.low},
            ":high": {"B": way.high},
        },
        "ScanIndexForward": not way.backward,
    }
