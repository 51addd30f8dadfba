"""The operations on one store, ours and by hand, over the same records. It times nothing."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any

from benchmarks import dynamodb, mongodb, postgres
from benchmarks.hand import ByHand
from benchmarks.measure import Pair, Way
from benchmarks.workload import Plain, entity, values
from rightstore import wiring
from rightstore.clock import SYSTEM
from rightstore.model.declaration import declaration_of
from rightstore.ports.connection import Target
from rightstore.repository.repository import Repository
from rightstore.telemetry.records import MeasuredStore

MANY, BULK, FOUND = 100, 1_000, 50
# The records that are read, and those that each side writes.
READ, OURS, RAW = "read", "ours", "hand"
Open = Callable[[str, str], AbstractAsyncContextManager[ByHand]]
HANDS: Mapping[str, Open] = {
    "postgres": postgres.by_hand,
    "mongodb": mongodb.by_hand,
    "dynamodb": dynamodb.by_hand,
}


@dataclass(frozen=True, slots=True)
class Room:
    """Where the records of one run are."""

    store: Any
    namespace: str
    kind: type[Any]
    # How many records there are of each category that is written.
    serials: Mapping[str, Iterator[int]]

    async def make(self, url: str) -> None:
        """Make the table, and records to read and to write over."""
        connection = wiring.bare_connection(Target(self.store, url))
        await connection.open()
        try:
            schema = wiring.part(self.store, "schema")(connection, self.namespace)
            for step in await schema.plan([declaration_of(self.kind)]):
                await schema.apply(step)
        finally:
            await connection.close()
        async with self.ours(url) as items:
            for category in (READ, OURS, RAW):
                await items.put_many([self.kind(**values(n, category)) for n in range(BULK)])

    @asynccontextmanager
    async def ours(self, url: str) -> AsyncIterator[Repository[Any]]:
        """Open our way: a repository over the measured store, traces off."""
        connection = wiring.bare_connection(Target(self.store, url))
        await connection.open()
        try:
            store = wiring.part(self.store, "store")(connection, self.namespace, SYSTEM)
            measured = MeasuredStore(store, self.store)
            yield Repository(self.kind, measured, at=self.store)
        finally:
            await connection.close()

    @asynccontextmanager
    async def contest(self, url: str, raw_url: str) -> AsyncIterator[list[Pair]]:
        """Open both ways."""
        async with self.ours(url) as ours, HANDS[self.store](raw_url, self.namespace) as raw:
            yield await _pairs(self, ours, raw)


async def _pairs(room: Room, ours: Repository[Any], raw: ByHand) -> list[Pair]:
    mine, theirs = _Mine(room, ours), _Theirs(room, raw)
    await mine.prepare()
    await theirs.prepare(ours)
    keys = cycle([values(n, READ)["id"] for n in range(BULK)])
    many = [values(n * 7, READ)["id"] for n in range(MANY)]
    own, hand = ([values(n, it)["id"] for n in range(BULK)] for it in (OURS, RAW))
    changed, changed_by_hand = cycle(own[MANY:]), cycle(hand[MANY:])
    return [
        Pair("get", Way(keys.__next__, ours.get), Way(keys.__next__, raw.get), 40),
        Pair(
            "get many of 100",
            Way(lambda: many, ours.get_many),
            Way(lambda: many, raw.get_many),
            5,
        ),
        Pair("put", Way(mine.record, ours.put), Way(theirs.record, theirs.put), 40),
        Pair(
            "change",
            Way(changed.__next__, mine.change),
            Way(changed_by_hand.__next__, theirs.change),
            20,
        ),
        Pair("find of 50", Way(lambda: READ, mine.find), Way(lambda: READ, theirs.find), 5),
        Pair(
            "bulk of 1,000",
            Way(mine.records, ours.put_many),
            Way(theirs.records, raw.bulk),
            calls=1,
            every=4,
        ),
    ]


class _Mine:
    """What our way is given."""

    def __init__(self, room: Room, items: Repository[Any]) -> None:
        self._kind, self._items = room.kind, items
        self._serial = room.serials[OURS]
        self._records: Iterator[Any] = iter(())

    async def prepare(self) -> None:
        """Read the records that are written over."""
        found = await self._items.get_many([values(n, OURS)["id"] for n in range(MANY)])
        self._records = cycle(found)

    def record(self) -> Any:
        """Return the next record, changed; it carries its version."""
        record = next(self._records)
        record.in_stock += 1
        return record

    def records(self) -> list[Any]:
        """Return new records."""
        return [self._kind(**values(next(self._serial), OURS)) for _ in range(BULK)]

    async def change(self, key: str) -> Any:
        """Add to a number, unless it is negative."""
        number = self._kind.in_stock
        return await self._items.change(key, number.add(1), when=number >= 0)

    async def find(self, category: str) -> Any:
        """Find the cheapest."""
        kind = self._kind
        query = self._items.find(kind.category == category).sort(kind.price.asc())
        return await query.limit(FOUND).all()


class _Theirs:
    """What the way by hand is given."""

    def __init__(self, room: Room, raw: ByHand) -> None:
        self._raw = raw
        self._serial = room.serials[RAW]
        self._versions: dict[str, int] = {}
        self._records: Iterator[Plain] = iter(())

    async def prepare(self, items: Repository[Any]) -> None:
        """Read the records that are written over, and their versions."""
        keys = [values(n, RAW)["id"] for n in range(MANY)]
        found = [record for record in await self._raw.get_many(keys) if record is not None]
        for key in keys:
            read = await items.read(key)
            self._versions[key] = read.version if read else 0
        self._records = cycle(found)

    def record(self) -> Plain:
        """Return the next record, changed."""
        record = next(self._records)
        record.in_stock += 1
        return record

    def records(self) -> list[Plain]:
        """Return new records."""
        return [Plain(**values(next(self._serial), RAW)) for _ in range(BULK)]

    async def put(self, record: Plain) -> None:
        """Put with the version that it has."""
        self._versions[record.id] = await self._raw.put(record, self._versions[record.id])

    async def change(self, key: str) -> Plain:
        """Add to a number."""
        return await self._raw.change(key, 1)

    async def find(self, category: str) -> list[Plain]:
        """Find the cheapest."""
        return await self._raw.find(category, FOUND)


def room(store: str, namespace: str) -> Room:
    """Return the room of a run; no I/O."""
    home: Any = store
    return Room(home, namespace, entity(home), {OURS: count(BULK), RAW: count(BULK)})
