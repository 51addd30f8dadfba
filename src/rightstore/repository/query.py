"""Query: what to find in one entity. Nothing runs until it is awaited or iterated."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Generic, TypeVar, final

from rightstore.errors import InvalidQueryError
from rightstore.model import query
from rightstore.model.cursor import decode_cursor, encode_cursor
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.evaluate import position
from rightstore.model.order import Order
from rightstore.model.record import from_stored
from rightstore.ports.records import Find, Queries, Stored
from rightstore.repository.answer import Page
from rightstore.repository.selection import Selection

Ent = TypeVar("Ent", bound=Entity)
MAX_PAGE = 1_000
MAX_LIMIT = 2**31
# Records that `async for` holds at a time.
BATCH = 500


@final
class Query(Selection, Generic[Ent]):
    """Records that meet a condition, in an order that always ends with the key. Immutable.

    `all` and `first` are one round trip each, `page` too; `async for` goes page by page.
    """

    __slots__ = ("_at", "_kind")

    def __init__(self, kind: type[Ent], queries: Queries, what: Find, *, at: str) -> None:
        super().__init__(declaration_of(kind), queries, what)
        self._kind, self._at = kind, at

    def sort(self, *order: Order) -> "Query[Ent]":
        """Go by these fields, from the first on; without this, by the key."""
        orders = query.orders(self._declaration, order)
        return self._with(replace(self._what, orders=orders))

    def limit(self, n: int) -> "Query[Ent]":
        """Find no more than so many."""
        return self._with(replace(self._what, limit=self._number("limit", n, MAX_LIMIT)))

    async def all(self) -> list[Ent]:
        """Return every record, up to the limit."""
        return self._records(await self._queries.find(self._what))

    async def first(self) -> Ent | None:
        """Return the first record in order, or None."""
        found = await self._queries.find(replace(self._what, limit=1))
        return self._records(found)[0] if found else None

    async def count(self) -> int:
        """Return how many records `all` would give."""
        found = await self._queries.count(self._what.where)
        return found if self._what.limit is None else min(found, self._what.limit)

    async def page(self, size: int, *, after: str | None = None) -> Page[Ent]:
        """Return up to `size` records after the cursor of another page of the same query.

        Pages stay right while records are written: one that is there all the time, and keeps its
        place in the order, is on exactly one of them.
        """
        self._number("page", size, MAX_PAGE)
        what = self._what
        if what.limit is not None:
            raise InvalidQueryError(
                f"{self._declaration.name}: a page has its own size: leave out limit(), or take "
                "all()."
            )
        asked = self._declaration, what.where, what.orders
        mark = None if after is None else decode_cursor(*asked, after)
        # One more than asked tells whether there is another page.
        found = await self._queries.find(replace(what, limit=size + 1, after=mark))
        cursor = None
        if len(found) > size:
            last = position(found[size - 1].data, what.orders)
            cursor = encode_cursor(*asked, last)
        return Page(self._records(found[:size]), cursor)

    async def __aiter__(self) -> AsyncIterator[Ent]:
        left, mark = self._what.limit, None
        while left is None or left > 0:
            size = BATCH if left is None else min(BATCH, left)
            found = await self._queries.find(replace(self._what, limit=size, after=mark))
            if found:
                mark = position(found[-1].data, self._what.orders)
            for record in self._records(found):
                yield record
            if len(found) < size:
                return
            left = None if left is None else left - size

    def _with(self, what: Find) -> "Query[Ent]":
        return Query(self._kind, self._queries, what, at=self._at)

    def _records(self, found: list[Stored]) -> list[Ent]:
        return [
            from_stored(
                self._kind, each.data, version=each.version, schema=each.schema, store=self._at
            )
            for each in found
        ]

    def _number(self, word: str, number: int, most: int) -> int:
        if type(number) is not int or not 1 <= number <= most:
            raise InvalidQueryError(
                f"{self._declaration.name}: {word}() takes a number from 1 to {most}."
            )
        return number
