"""L15, the primitive: of any number of buyers at once none gets what is not there.

Two hundred clients take from one record; the promise is `change(…, when=…)`. Expiry and confirming
of reservations belong to the application that has them.
"""

import asyncio
from contextlib import AsyncExitStack

from rightstore.clock import SYSTEM
from rightstore.errors import ConditionError, ThrottledError, VersionConflictError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.ports.connection import Target
from rightstore.repository.repository import Repository
from tests.laws.store import opened, room

CLIENTS, UNITS = 200, 50


class Stock(Entity, key="sku"):
    """So many of a thing, and so many of them taken."""

    sku: Field[str]
    available: Field[int]
    taken: Field[int] = field(default=0)


STOCK = declaration_of(Stock)


async def buy(stock: Repository[Stock], quantity: int) -> int:
    """Take so many if there are; return how many were had. Ask again where the store says so."""
    while True:
        try:
            await stock.change(
                "chair",
                Stock.available.add(-quantity),
                Stock.taken.add(quantity),
                when=Stock.available >= quantity,
            )
        except ConditionError:
            return 0
        except (VersionConflictError, ThrottledError):
            await SYSTEM.sleep(0.01)
        else:
            return quantity


async def watch(stock: Repository[Stock], stop: asyncio.Event) -> list[tuple[int, int]]:
    """Return every state that a reader sees meanwhile."""
    seen = []
    while not stop.is_set():
        found = await stock.get_one("chair")
        seen.append((found.available, found.taken))
    return seen


async def test_two_hundred_buyers_get_what_is_there_and_no_more(
    store: str, url: str, namespace: str
) -> None:
    target = Target(store, url, pool_max=20)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(room(target, namespace, [STOCK]))
        # Several clients with pools of their own, as several processes would be.
        stores = [await stack.enter_async_context(opened(target, namespace)) for _ in range(4)]
        stocks = [Repository(Stock, each, at=store) for each in stores]
        await stocks[0].put(Stock(sku="chair", available=UNITS))
        stop = asyncio.Event()
        watching = asyncio.create_task(watch(stocks[0], stop))

        had = await asyncio.gather(
            *(buy(stocks[n % len(stocks)], 1 + n % 3) for n in range(CLIENTS))
        )

        stop.set()
        seen = await watching
        left = await stocks[0].get_one("chair")
        assert left.available >= 0
        assert (left.available, left.taken) == (UNITS - sum(had), sum(had))
        assert left.available < 3  # somebody would have had the rest
        assert all(available >= 0 and available + taken == UNITS for available, taken in seen)
        assert seen
