"""Writes of records to PostgreSQL whose replies are lost: what is told is what is so, for ever.

Replies are dropped or cut exactly at a write, through a proxy; the truth is read straight.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from tests.contract.records_postgres import connected, room

from rightstore.adapters.postgres.client import PostgresConnection, Wire
from rightstore.adapters.postgres.store import PostgresStore
from rightstore.clock import SYSTEM
from rightstore.errors import StoreError
from rightstore.ids import new_id
from rightstore.model.record import to_stored
from rightstore.ports.capability import CAPABILITIES
from rightstore.ports.records import Change, Delete, Put, Records
from rightstore.testing.contract.sample import FACT, SAMPLE, Fact, Sample, new, samples
from rightstore.testing.detour import before, by_way_of
from rightstore.testing.proxy import Proxy
from rightstore.testing.wait import until

pytestmark = pytest.mark.embedded
PATIENCE = 1.0
GROW = (Sample.in_stock.add(1),)


@dataclass(frozen=True, slots=True)
class Way:
    """One store twice: straight, and by way of a proxy."""

    direct: PostgresStore
    client: PostgresStore
    connection: PostgresConnection
    proxy: Proxy

    @property
    def truth(self) -> Records:
        return self.direct.records(SAMPLE)

    async def version(self, key: str) -> int:
        found = await self.truth.get(key)
        return found.version if found else 0


@pytest.fixture
async def way(store_urls: Mapping[str, str]) -> AsyncIterator[Way]:
    """A store with room for the samples, straight and through a proxy."""
    url = store_urls["postgres"]
    async with (
        connected(url) as connection,
        room(connection, samples(CAPABILITIES)) as name,
        before(url) as proxy,
        connected(by_way_of(proxy, url), timeout=PATIENCE) as detour,
    ):
        yield Way(
            PostgresStore(connection, name, SYSTEM), PostgresStore(detour, name, SYSTEM),
            detour, proxy,
        )  # fmt: skip


Make = Callable[[Way, Sample], Coroutine[Any, Any, Any]]


async def put(way: Way, record: Sample) -> int:
    return await way.client.records(SAMPLE).put(Put(record.id, to_stored(record), "any"))


async def put_over(way: Way, record: Sample) -> int:
    return await way.client.records(SAMPLE).put(Put(record.id, to_stored(record), 1))


async def put_many(way: Way, record: Sample) -> int:
    one = Put(record.id, to_stored(record), "any")
    outcomes = await way.client.records(SAMPLE).put_many([new(Sample()), one])
    if isinstance(outcomes[1], Exception):
        raise outcomes[1]
    return outcomes[1]


async def change(way: Way, record: Sample) -> int:
    return (await way.client.records(SAMPLE).change(Change(record.id, GROW))).version


async def delete(way: Way, record: Sample) -> int:
    return await way.client.records(SAMPLE).delete(Delete(record.id))


async def batch(way: Way, record: Sample) -> int:
    return (await way.client.write([(SAMPLE, Change(record.id, GROW)), (FACT, new(Fact()))]))[0]


WRITES: list[Make] = [put, put_over, put_many, change, delete, batch]


async def warmed(way: Way, make: Make) -> Sample:
    """Return a record that is stored, on a connection that has prepared this write before."""
    for _ in range(2):
        record = Sample(id=f"{new_id()}")
        await way.truth.put(new(record))
        await make(way, record)
    record = Sample(id=f"lost-{new_id()}")
    await way.truth.put(new(record))
    await way.client.records(SAMPLE).get(record.id)
    return record


async def begun(way: Way, make: Make, record: Sample) -> "asyncio.Task[Any]":
    """Begin a write whose reply is dropped."""
    way.proxy.drop_replies_after(record.id.encode())
    task = asyncio.create_task(make(way, record))
    await until(lambda: way.proxy.to_client.dropped)
    return task


@pytest.mark.parametrize("make", WRITES, ids=lambda it: it.__name__)
async def test_a_write_whose_connection_breaks_is_found_to_be_done(way: Way, make: Make) -> None:
    record = await warmed(way, make)
    task = await begun(way, make, record)

    way.proxy.reset()
    await way.proxy.heal()

    assert await task == 2
    if make is not delete:
        assert await way.version(record.id) == 2


@pytest.mark.parametrize("make", WRITES, ids=lambda it: it.__name__)
async def test_a_write_whose_answer_never_comes_is_found_to_be_done(way: Way, make: Make) -> None:
    record = await warmed(way, make)
    task = await begun(way, make, record)
    way.proxy.marker = None

    assert await task == 2


@pytest.mark.parametrize("make", WRITES, ids=lambda it: it.__name__)
async def test_a_write_that_never_arrived_is_not_applied_and_never_will_be(
    way: Way, make: Make
) -> None:
    record = await warmed(way, make)
    way.proxy.to_server.pause()
    task = asyncio.create_task(make(way, record))
    for _ in range(50):
        await SYSTEM.sleep(0)

    way.proxy.reset()
    await way.proxy.heal()

    with pytest.raises(StoreError) as caught:
        await task
    assert caught.value.outcome == "not applied"
    assert await way.version(record.id) == 1


async def test_behind_a_pooler_a_write_that_is_not_there_may_still_come(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A pooler tells a number of its own for the process of the server.
    monkeypatch.setattr(Wire, "get_server_pid", lambda _: 1)
    await way.connection.pool.expire_connections()
    done, lost = await warmed(way, put), await warmed(way, change)
    task = await begun(way, put, done)
    way.proxy.reset()
    await way.proxy.heal()

    assert await task == 2

    way.proxy.to_server.pause()
    task = asyncio.create_task(change(way, lost))
    for _ in range(50):
        await SYSTEM.sleep(0)
    way.proxy.reset()
    await way.proxy.heal()

    with pytest.raises(StoreError) as caught:
        await task
    assert caught.value.outcome == "unknown"


async def test_what_others_have_written_over_since_is_unknown(way: Way) -> None:
    record = await warmed(way, change)
    task = await begun(way, change, record)
    await way.truth.change(Change(record.id, GROW))

    way.proxy.reset()
    await way.proxy.heal()

    with pytest.raises(StoreError) as caught:
        await task
    assert caught.value.outcome == "unknown"
    assert await way.version(record.id) == 3


async def test_a_guarded_write_that_another_overtook_is_not_applied(way: Way) -> None:
    record = await warmed(way, put_over)
    way.proxy.to_server.pause()
    task = asyncio.create_task(put_over(way, record))
    for _ in range(50):
        await SYSTEM.sleep(0)
    await way.truth.change(Change(record.id, GROW))

    way.proxy.reset()
    await way.proxy.heal()

    with pytest.raises(StoreError) as caught:
        await task
    assert caught.value.outcome == "not applied"


async def test_what_cannot_be_learned_in_time_stays_unknown(way: Way) -> None:
    record = await warmed(way, change)
    task = await begun(way, change, record)

    way.proxy.refuse()
    way.proxy.reset()

    with pytest.raises(StoreError) as caught:
        await task
    assert caught.value.outcome == "unknown"


async def test_a_read_whose_answer_is_lost_has_changed_nothing(way: Way) -> None:
    record = await warmed(way, change)
    way.proxy.drop_replies_after(record.id.encode())

    with pytest.raises(StoreError) as caught:
        await way.client.records(SAMPLE).get(record.id)

    assert caught.value.outcome == "not applied"


@pytest.mark.parametrize("turns", range(0, 12, 2))
async def test_a_cancellation_leaves_no_dirty_connection(way: Way, turns: int) -> None:
    record = await warmed(way, change)
    task = asyncio.create_task(change(way, record))
    for _ in range(turns):
        await SYSTEM.sleep(0)

    task.cancel()

    await asyncio.gather(task, return_exceptions=True)
    assert await put(way, record) in (2, 3)
    async with way.connection.session() as session:
        assert not session.is_in_transaction()
