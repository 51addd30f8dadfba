"""Writes to MongoDB whose replies are lost: done once, and never reported as what they are not."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import pytest
from tests.contract.records_mongodb import CAN, connected, room

from rightstore.adapters.mongodb.store import MongodbStore
from rightstore.clock import SYSTEM
from rightstore.errors import ConditionError, DeadlineError, StoreError, VersionConflictError
from rightstore.model.record import to_stored
from rightstore.ports.records import Change, Delete, Put
from rightstore.testing.contract.sample import SAMPLE, Sample, fill, new, samples
from rightstore.testing.detour import before, by_way_of
from rightstore.testing.proxy import Proxy
from rightstore.testing.wait import until

pytestmark = pytest.mark.embedded
PATIENCE = 0.5
GROW = (Sample.in_stock.add(1),)


class Way:
    """The same records straight, and through a proxy by an impatient store."""

    def __init__(self, straight: MongodbStore, broken: MongodbStore, proxy: Proxy) -> None:
        self.straight, self.broken, self.proxy = straight, broken, proxy

    async def now(self, key: str) -> tuple[int, int]:
        """The version and stock of a record."""
        found = await self.straight.records(SAMPLE).get(key)
        assert found is not None
        return found.version, found.data["inStock"]


@pytest.fixture
async def way(store_urls: Mapping[str, str]) -> AsyncIterator[Way]:
    """Both ways to a database of this test's own."""
    url = store_urls["mongodb"]
    async with AsyncExitStack() as stack:
        direct = await stack.enter_async_context(connected(url))
        name = await stack.enter_async_context(room(direct, samples(CAN)))
        proxy = await stack.enter_async_context(before(url))
        detour = connected(by_way_of(proxy, url), timeout=PATIENCE, connect_timeout=PATIENCE)
        broken = await stack.enter_async_context(detour)
        yield Way(
            MongodbStore(direct, name, SYSTEM, capabilities=CAN),
            MongodbStore(broken, name, SYSTEM, capabilities=CAN),
            proxy,
        )


async def lose_the_reply(way: Way, write_id: str) -> None:
    """Let the server do the write, its answer be lost, and the wire be sound again after that."""
    way.proxy.drop_replies_after(write_id.encode())
    await way.proxy.marked.wait()
    await until(lambda: way.proxy.to_client.dropped)
    way.proxy.reset()
    await way.proxy.heal()


async def test_a_change_whose_reply_is_lost_is_done_once_and_told(way: Way) -> None:
    record = Sample()
    await fill(way.straight, [record])
    change = Change(record.id, GROW)
    losing = asyncio.create_task(lose_the_reply(way, change.write_id))

    changed = await way.broken.records(SAMPLE).change(change)

    await losing
    assert (changed.version, changed.data["inStock"], changed.write_id) == (2, 1, change.write_id)
    assert await way.now(record.id) == (2, 1)


async def test_a_lost_reply_is_found_although_others_have_written_since(way: Way) -> None:
    record = Sample()
    await fill(way.straight, [record])
    change = Change(record.id, GROW)
    way.proxy.drop_replies_after(change.write_id.encode())
    writing = asyncio.create_task(way.broken.records(SAMPLE).change(change))
    await until(lambda: way.proxy.to_client.dropped)
    await way.straight.records(SAMPLE).change(Change(record.id, GROW))

    way.proxy.reset()
    await way.proxy.heal()

    assert (await writing).version == 2
    assert await way.now(record.id) == (3, 2)


@pytest.mark.parametrize("expect", [0, 1, "any"])
async def test_a_put_whose_reply_is_lost_is_no_conflict(way: Way, expect: int) -> None:
    record = Sample(in_stock=7)
    if expect:
        await fill(way.straight, [Sample(id=record.id)])
    put = Put(record.id, to_stored(record), expect)
    losing = asyncio.create_task(lose_the_reply(way, put.write_id))

    version = await way.broken.records(SAMPLE).put(put)

    await losing
    assert version == (2 if expect else 1)
    assert await way.now(record.id) == (version, 7)


async def test_a_delete_whose_reply_is_lost_has_deleted(way: Way) -> None:
    record = Sample()
    await fill(way.straight, [record])
    delete = Delete(record.id)
    losing = asyncio.create_task(lose_the_reply(way, delete.write_id))

    version = await way.broken.records(SAMPLE).delete(delete)

    await losing
    assert version == 2
    assert await way.straight.records(SAMPLE).get(record.id) is None


async def test_many_puts_whose_reply_is_lost_are_told_one_by_one(way: Way) -> None:
    there = Sample()
    await fill(way.straight, [there])
    puts = [new(Sample()) for _ in range(20)]
    losing = asyncio.create_task(lose_the_reply(way, puts[7].write_id))

    outcomes = await way.broken.records(SAMPLE).put_many([*puts, Put(there.id, {}, 7)])

    await losing
    assert outcomes[:-1] == [1] * 20
    assert type(outcomes[-1]) is VersionConflictError


async def test_a_refusal_whose_reply_is_lost_stays_one(way: Way) -> None:
    record = Sample()
    await fill(way.straight, [record])
    change = Change(record.id, GROW, Sample.in_stock > 0)
    losing = asyncio.create_task(lose_the_reply(way, change.write_id))

    with pytest.raises(ConditionError):
        await way.broken.records(SAMPLE).change(change)

    await losing
    assert await way.now(record.id) == (1, 0)


async def test_a_transaction_whose_commit_has_no_reply_is_told(way: Way) -> None:
    one, two = Sample(), Sample()
    await fill(way.straight, [one, two])
    batch = [(SAMPLE, Change(each.id, GROW)) for each in (one, two)]
    losing = asyncio.create_task(lose_the_reply(way, "commitTransaction"))

    versions = await way.broken.write(batch)

    await losing
    assert versions == [2, 2]
    assert [await way.now(each.id) for each in (one, two)] == [(2, 1), (2, 1)]


async def test_a_server_that_is_gone_has_done_nothing(way: Way) -> None:
    way.proxy.refuse()
    way.proxy.reset()
    records = way.broken.records(SAMPLE)
    # This one may still take an old connection, which it finds broken.
    with pytest.raises(StoreError):
        await records.get("a")

    with pytest.raises(StoreError) as caught:
        await records.put(new(Sample()))

    assert caught.value.outcome == "not applied"


async def test_what_nobody_can_tell_is_unknown(way: Way) -> None:
    record = Sample()
    await fill(way.straight, [record])
    change = Change(record.id, GROW)
    writing = asyncio.create_task(way.broken.records(SAMPLE).change(change))
    way.proxy.drop_replies_after(change.write_id.encode())
    await until(lambda: way.proxy.to_client.dropped)

    way.proxy.refuse()
    way.proxy.reset()

    with pytest.raises(StoreError) as caught:
        await writing
    assert caught.value.outcome == "unknown"
    assert await way.now(record.id) == (2, 1)


async def test_a_cancelled_write_leaves_no_dirty_connection(way: Way) -> None:
    records = way.broken.records(SAMPLE)
    record, other = Sample(), Sample(in_stock=9)
    await fill(way.straight, [record, other])
    change = Change(record.id, GROW)
    way.proxy.to_client.pause()
    writing = asyncio.create_task(records.change(change))
    await until(lambda: way.proxy.to_server.forwarded)

    writing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await writing
    way.proxy.to_client.resume()
    found = await asyncio.gather(*(records.get(other.id) for _ in range(20)))
    assert {it.data["inStock"] for it in found if it} == {9}


async def test_a_cancelled_transaction_holds_nothing(way: Way) -> None:
    one, two = Sample(), Sample()
    await fill(way.straight, [one, two])
    batch = [(SAMPLE, Change(each.id, GROW)) for each in (one, two)]
    way.proxy.drop_replies_after(batch[0][1].write_id.encode())
    writing = asyncio.create_task(way.broken.write(batch))
    await way.proxy.marked.wait()

    writing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await way.straight.write(batch) == [2, 2]


@pytest.mark.parametrize("count", [1, 50, 200])
async def test_a_wire_cut_in_a_reply_is_no_end(way: Way, count: int) -> None:
    record = Sample()
    await fill(way.straight, [record])
    change = Change(record.id, GROW)
    way.proxy.to_client.cut_after(count)
    writing = asyncio.create_task(way.broken.records(SAMPLE).change(change))
    await until(lambda: way.proxy.accepted > 2)

    await way.proxy.heal()

    assert (await writing).version == 2
    assert await way.now(record.id) == (2, 1)


async def test_a_read_whose_connection_breaks_is_asked_again(way: Way) -> None:
    record = Sample(in_stock=7)
    await fill(way.straight, [record])
    await way.broken.records(SAMPLE).get(record.id)
    way.proxy.to_client.pause()
    sent = way.proxy.to_server.forwarded
    reading = asyncio.create_task(way.broken.records(SAMPLE).get(record.id))
    await until(lambda: way.proxy.to_server.forwarded > sent)

    way.proxy.reset()
    await way.proxy.heal()

    found = await reading
    assert found is not None
    assert found.data["inStock"] == 7


async def test_a_read_of_a_silent_server_ends_in_its_time(way: Way) -> None:
    records = way.broken.records(SAMPLE)
    await records.get("a")
    way.proxy.to_client.pause()
    began = SYSTEM.monotonic()

    with pytest.raises(DeadlineError) as caught:
        await records.get("a")

    assert caught.value.outcome == "not applied"
    assert SYSTEM.monotonic() - began < 2 * PATIENCE
