"""What a store of search says when its server goes away in the middle, and that it comes back.

It cannot cut a reply at every byte.
"""

from collections.abc import AsyncIterator

import pytest
from tests.contract.conftest import Make
from tests.contract.search import BUILDERS

from rightstore.adapters.opensearch.client import OpensearchConnection
from rightstore.adapters.opensearch.search import OpensearchSearch
from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.search import PostgresSearch
from rightstore.errors import StoreError
from rightstore.ports.search import Ask, SearchStore
from rightstore.testing.contract.search_sample import CARD, Card, document
from rightstore.testing.proxy import Proxy

STORES = [
    pytest.param("opensearch", marks=pytest.mark.servers),
    "postgres",
]


@pytest.fixture
async def search(url: str, make: Make, proxied: str, namespace: str) -> AsyncIterator[SearchStore]:
    """A store behind a proxy, with a live index of cards."""
    connection = make(proxied)
    await connection.open()
    async with BUILDERS[connection.store][0](url, namespace) as direct:
        await direct.prepare(CARD)
        if isinstance(connection, OpensearchConnection):
            yield OpensearchSearch(connection, namespace)
        if isinstance(connection, PostgresConnection):
            yield PostgresSearch(connection, namespace)


@pytest.mark.parametrize("store", STORES)
async def test_a_server_that_is_gone_is_told_for_each_document(
    search: SearchStore, proxy: Proxy
) -> None:
    index, cards = search.index(CARD), [Card(title="one"), Card(title="two")]
    proxy.refuse()
    proxy.reset()

    outcomes = await index.index([document(card) for card in cards])
    with pytest.raises(StoreError) as error:
        await index.query(Ask("one"))
    await proxy.heal()

    assert all(isinstance(outcome, StoreError) for outcome in outcomes)
    assert error.value.outcome == "not applied"
    assert await index.index([document(card) for card in cards]) == [True, True]


@pytest.mark.parametrize("store", STORES)
async def test_a_connection_that_was_lost_while_idle_costs_nothing(
    search: SearchStore, proxy: Proxy
) -> None:
    index = search.index(CARD)
    proxy.reset()

    took = await index.index([document(Card(title="one"))])
    await index.settle()
    proxy.reset()

    assert took == [True]
    assert (await index.query(Ask("one"))).total == 1


@pytest.mark.parametrize("store", STORES)
async def test_a_silent_server_is_given_up_and_a_lost_reply_may_be_repeated(
    search: SearchStore, proxy: Proxy
) -> None:
    index, card = search.index(CARD), document(Card(title="one"))
    proxy.to_client.pause()

    (outcome,) = await index.index([card])
    await proxy.heal()
    proxy.reset()

    assert isinstance(outcome, StoreError)
    assert outcome.outcome == "unknown"
    assert (await index.index([card]))[0] in (True, False)
    await index.settle()
    assert (await index.query(Ask("one"))).total == 1
