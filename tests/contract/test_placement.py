"""The port `placement` on PostgreSQL: the first record of an entity stands, whoever writes it."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import asyncpg
import pytest

from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.postgres.placement import PostgresAtlas, PostgresPlacements
from rightstore.clock import SYSTEM
from rightstore.errors import RejectedError, StoreError
from rightstore.ports.connection import Target
from rightstore.ports.placement import Placement
from rightstore.testing.detour import before, by_way_of

PRODUCT = Placement("Product", "mongodb", "mongodb")
STOCK = Placement("Stock", "dynamodb", "postgres")


@pytest.fixture
def store() -> str:
    """Only PostgreSQL has this port."""
    return "postgres"


class Site:
    """One application's schema on the server."""

    def __init__(self, url: str, namespace: str) -> None:
        self._url, self.namespace = url, namespace
        self.connection = postgres(Target("postgres", url), SYSTEM)
        self.placements = PostgresPlacements(self.connection, namespace, SYSTEM)
        self.atlas = PostgresAtlas(self.connection)

    async def build(self) -> None:
        for step in await self.placements.plan():
            await self.placements.apply(step)

    async def clear(self) -> None:
        await self.connection.close()
        direct = await asyncpg.connect(self._url)
        await direct.execute(f'DROP SCHEMA IF EXISTS "{self.namespace}" CASCADE')
        await direct.close()


@pytest.fixture
async def site(store_urls: Mapping[str, str], namespace: str) -> AsyncIterator[Site]:
    made = Site(store_urls["postgres"], namespace)
    await made.connection.open()
    yield made
    await made.clear()


async def test_without_room_nothing_is_recorded_and_nothing_can_be(site: Site) -> None:
    assert await site.placements.read() == {}
    with pytest.raises(RejectedError):
        await site.placements.record([PRODUCT])


async def test_the_room_is_planned_made_and_then_there(site: Site) -> None:
    planned = await site.placements.plan()

    await site.build()

    assert [step.subject.partition(" ")[0] for step in planned] == ["schema", "table"]
    assert await site.placements.plan() == []
    for step in planned:
        await site.placements.apply(step)


async def test_the_first_store_stands_and_the_home_follows_the_declaration(site: Site) -> None:
    await site.build()

    await site.placements.record([PRODUCT, STOCK])
    again = await site.placements.record(
        [Placement("Product", "postgres", "postgres"), Placement("Stock", "dynamodb", "dynamodb")]
    )

    assert again == {"Product": Placement("Product", "postgres", "mongodb"), "Stock": STOCK}
    assert await site.placements.read() == again


async def test_of_many_processes_at_once_one_wins_and_all_learn_it(site: Site) -> None:
    await site.build()

    answers = await asyncio.gather(
        *(
            site.placements.record([Placement("A", "mongodb", store), PRODUCT])
            for store in ("postgres", "mongodb", "dynamodb") * 4
        )
    )

    assert len({answer["A"].store for answer in answers}) == 1
    assert await site.placements.read() == answers[0]


async def test_nothing_to_record_is_no_error(site: Site) -> None:
    await site.build()

    assert await site.placements.record([]) == {}


async def test_the_atlas_has_every_application(site: Site, namespace: str) -> None:
    await site.build()
    await site.placements.record([STOCK])

    found = await site.atlas()

    assert found[namespace] == [STOCK]


async def test_a_record_whose_answer_is_lost_is_not_called_undone(
    store_urls: Mapping[str, str], site: Site
) -> None:
    await site.build()
    url = store_urls["postgres"]
    async with before(url) as proxy:
        target = Target("postgres", by_way_of(proxy, url), timeout=1.0)
        connection = postgres(target, SYSTEM)
        await connection.open()
        placements = PostgresPlacements(connection, site.namespace, SYSTEM)

        # Once before, so that the statement is prepared and the next one is sent whole.
        await placements.record([STOCK])

        proxy.drop_replies_after(b"Product")
        with pytest.raises(StoreError) as caught:
            await placements.record([PRODUCT])
        await connection.close()

    assert caught.value.outcome == "unknown"
    assert (await site.placements.read())["Product"].home == "mongodb"
