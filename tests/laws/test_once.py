"""L16, idempotency: one key, one effect, one answer; with another argument it is refused.

Each request is sent one to five times at once by clients of their own, while replies get lost. What
HTTP makes of it belongs to the web.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import pytest

from rightstore.clock import SYSTEM
from rightstore.errors import InProgressError, KeyReusedError, StoreError, VersionConflictError
from rightstore.ids import new_id
from rightstore.model.declaration import Declaration, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.ports.records import RecordStore
from rightstore.ports.relational import Relational
from rightstore.repository.mark import marks_for
from rightstore.repository.repository import Repository
from rightstore.repository.run import run
from rightstore.repository.transaction import Transaction
from tests.laws.store import Way, both_ways

REQUESTS, CLIENTS = 30, 4


class Purse(Entity, group="purses"):
    """What somebody has, and how many times something was added."""

    id: Field[str]
    amount: Field[int]
    times: Field[int]


class Receipt(Entity, group="purses"):
    """That it was added, by an id that the effect makes anew each time it runs."""

    id: Field[str]
    purse: Field[str]


PURSE, RECEIPT = declaration_of(Purse), declaration_of(Receipt)
ROOM = [PURSE, RECEIPT, *marks_for([PURSE])[:1]]


@dataclass(frozen=True, slots=True)
class One:
    """An application that has one store."""

    store: RecordStore
    name: str

    def store_of(self, declaration: Declaration) -> RecordStore:
        """Return the store that holds an entity now."""
        assert declaration.group == "purses"
        return self.store

    def name_of(self, declaration: Declaration) -> str:
        """Return its name."""
        assert declaration.group == "purses"
        return self.name

    def relational(self) -> Relational | None:
        """Return nothing: there are no tables here."""
        return None

    def control(self) -> RecordStore:
        """Return the only store."""
        return self.store


async def add(request: tuple[str, int], tx: Transaction) -> str:
    """Add to a purse; every run of it would give another answer."""
    purse, amount = request
    receipt = new_id()
    found = await tx.of(Purse).get_one(purse)
    found.amount += amount
    found.times += 1
    await tx.of(Purse).put(found)
    await tx.of(Receipt).put(Receipt(id=receipt, purse=purse))
    return receipt


async def ask(place: One, request: tuple[str, int], key: str) -> str:
    """Send a request until there is an answer, as a client does: always with the same key."""
    while True:
        try:
            return await run(place, add, request, once=key)
        except (StoreError, InProgressError, VersionConflictError):
            await SYSTEM.sleep(0.01)


async def lose(ways: Sequence[Way], stop: asyncio.Event) -> None:
    """Break off connections now and then, when a mark or a receipt goes to the server."""
    luck = random.Random(3)  # noqa: S311 - a schedule, no secret
    while not stop.is_set():
        way = luck.choice(ways)
        way.proxy.drop_replies_after(luck.choice((b"rightstore_once", b"Receipt")))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await way.proxy.marked.wait()
        way.proxy.reset()
        await way.proxy.heal()


async def test_one_key_has_one_effect_and_one_answer(store: str, url: str, namespace: str) -> None:
    luck = random.Random(1)  # noqa: S311 - a schedule, no secret
    async with AsyncExitStack() as stack:
        ways = [
            await stack.enter_async_context(both_ways(store, url, namespace, ROOM))
            for _ in range(CLIENTS)
        ]
        places = [One(way.broken, store) for way in ways]
        truth = One(ways[0].straight, store)
        purses = Repository(Purse, truth.store, at=store)
        await purses.put(Purse(id="hers", amount=0, times=0))
        stop = asyncio.Event()
        losing = asyncio.create_task(lose(ways, stop))
        answers: dict[int, set[str]] = {}

        try:
            for number in range(REQUESTS):
                # The same request, one to five times at once, by whichever clients.
                asked = [
                    ask(luck.choice(places), ("hers", number), f"request-{number}")
                    for _ in range(luck.randint(1, 5))
                ]
                answers[number] = set(await asyncio.gather(*asked))
        finally:
            stop.set()
            await losing

        assert {number: len(given) for number, given in answers.items()} == dict.fromkeys(
            answers, 1
        )
        found = await purses.get_one("hers")
        assert (found.times, found.amount) == (REQUESTS, sum(range(REQUESTS)))
        receipts = Repository(Receipt, truth.store, at=store)
        given = [answer for answers_of_one in answers.values() for answer in answers_of_one]
        assert None not in await receipts.get_many(given)


async def test_a_key_with_another_argument_is_refused(store: str, url: str, namespace: str) -> None:
    async with both_ways(store, url, namespace, ROOM) as way:
        place = One(way.straight, store)
        purses = Repository(Purse, place.store, at=store)
        await purses.put(Purse(id="his", amount=0, times=0))
        await run(place, add, ("his", 1), once="key")

        with pytest.raises(KeyReusedError):
            await run(place, add, ("his", 2), once="key")

        assert (await purses.get_one("his")).amount == 1
