"""Records on DynamoDB over a wire that breaks: what is reported is what is there.

It cannot catch what only the service of AWS does: a request that is carried out minutes later.
"""

import os
from collections.abc import AsyncIterator

import pytest
from tests.laws.store import Way, both_ways

from rightstore.errors import StoreError, VersionConflictError
from rightstore.model.declaration import Declaration
from rightstore.model.record import to_stored
from rightstore.ports.records import Change, Delete, Put, Write
from rightstore.testing.contract.sample import FACT, SAMPLE, Fact, Sample, new

pytestmark = pytest.mark.servers
PATIENCE = 1.0


@pytest.fixture
async def way(namespace: str) -> AsyncIterator[Way]:
    """The store straight, and by way of a proxy."""
    url = os.environ.get("DYNAMODB_URL")
    if not url:
        message = "no dynamodb server: set DYNAMODB_URL, or run `make test-servers`"
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    async with both_ways("dynamodb", url, namespace, [SAMPLE, FACT], timeout=PATIENCE) as made:
        yield made


async def versions(way: Way, key: str) -> tuple[int, int] | None:
    """Return the version and the stock of a sample, as they are."""
    found = await way.straight.records(SAMPLE).get(key)
    return (found.version, found.data["inStock"]) if found else None


async def test_a_put_whose_reply_is_lost_is_found_to_be_done(way: Way) -> None:
    write = new(record := Sample(in_stock=1))
    way.proxy.drop_replies_after(write.write_id.encode())

    version = await way.broken.records(SAMPLE).put(write)

    assert way.proxy.marked.is_set()
    assert version == 1
    assert await versions(way, record.id) == (1, 1)


async def test_a_change_whose_reply_is_lost_is_found_to_be_done_once(way: Way) -> None:
    await way.straight.records(SAMPLE).put(new(record := Sample(in_stock=1)))
    write = Change(record.id, (Sample.in_stock.add(5),), Sample.in_stock >= 1)
    way.proxy.drop_replies_after(write.write_id.encode())

    changed = await way.broken.records(SAMPLE).change(write)

    assert (changed.version, changed.data["inStock"]) == (2, 6)
    assert await versions(way, record.id) == (2, 6)


async def test_a_delete_whose_reply_is_lost_is_found_to_be_done(way: Way) -> None:
    await way.straight.records(SAMPLE).put(new(record := Sample()))
    write = Delete(record.id)
    way.proxy.drop_replies_after(write.write_id.encode())

    assert await way.broken.records(SAMPLE).delete(write) == 2
    assert await versions(way, record.id) is None


async def test_a_batch_whose_reply_is_lost_is_found_to_be_done(way: Way) -> None:
    await way.straight.records(SAMPLE).put(new(record := Sample(in_stock=1)))
    write = Change(record.id, (Sample.in_stock.add(5),))
    fact = Fact(text="done")
    batch: list[tuple[Declaration, Write]] = [(SAMPLE, write), (FACT, new(fact))]
    way.proxy.drop_replies_after(write.write_id.encode())

    done = await way.broken.write(batch)

    assert done == [2, 1]
    assert await versions(way, record.id) == (2, 6)
    assert await way.straight.records(FACT).get(fact.id) is not None


async def test_a_put_that_was_overwritten_meanwhile_is_not_denied(way: Way) -> None:
    await way.straight.records(SAMPLE).put(new(record := Sample(in_stock=1)))
    write = Put(record.id, to_stored(Sample(id=record.id, in_stock=2)), 1)
    await way.straight.records(SAMPLE).put(write)
    await way.straight.records(SAMPLE).change(Change(record.id, (Sample.in_stock.add(1),)))
    way.proxy.drop_replies_after(write.write_id.encode())

    with pytest.raises(StoreError) as told:
        await way.broken.records(SAMPLE).put(write)

    assert told.value.outcome == "unknown"
    assert await versions(way, record.id) == (3, 3)


async def test_a_refused_put_whose_reply_is_lost_is_refused(way: Way) -> None:
    await way.straight.records(SAMPLE).put(new(record := Sample(in_stock=1)))
    await way.straight.records(SAMPLE).change(Change(record.id, (Sample.in_stock.add(1),)))
    write = Put(record.id, to_stored(record), 1)
    way.proxy.drop_replies_after(write.write_id.encode())

    with pytest.raises(VersionConflictError):
        await way.broken.records(SAMPLE).put(write)

    assert await versions(way, record.id) == (2, 2)


async def test_a_change_that_never_arrived_is_unknown_and_not_there(way: Way) -> None:
    await way.straight.records(SAMPLE).put(new(record := Sample(in_stock=1)))
    way.proxy.to_server.black_hole = True

    with pytest.raises(StoreError) as told:
        await way.broken.records(SAMPLE).change(Change(record.id, (Sample.in_stock.add(5),)))

    assert told.value.outcome == "unknown"
    assert await versions(way, record.id) == (1, 1)


async def test_a_write_that_finds_nobody_is_not_applied(way: Way) -> None:
    way.proxy.refuse()
    way.proxy.reset()
    with pytest.raises(StoreError):
        await way.broken.records(SAMPLE).get("what was kept alive is dead now")

    with pytest.raises(StoreError) as told:
        await way.broken.records(SAMPLE).put(new(Sample()))

    assert told.value.outcome == "not applied"


async def test_the_service_being_gone_for_a_moment_does_not_break_the_next_read(way: Way) -> None:
    await way.straight.records(SAMPLE).put(new(record := Sample()))
    await way.broken.records(SAMPLE).get(record.id)
    way.proxy.reset()

    assert await way.broken.records(SAMPLE).get(record.id) is not None
