"""The port `search` keeps its contract when it is measured."""

import pytest
from prometheus_client import REGISTRY

from rightstore.adapters.memory.search import MemorySearch
from rightstore.clock import SYSTEM
from rightstore.errors import UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.model.wish import Search
from rightstore.ports.search import SEARCH_CAPABILITIES, Ask, Document
from rightstore.telemetry.search import MeasuredSearch
from rightstore.testing.contract.search_check import SearchCheck
from rightstore.testing.contract.search_sample import SAMPLES
from rightstore.testing.contract.search_suite import CHECKS


class Card(Entity, search=Search("name")):
    id: Field[str]
    name: Field[str]


@pytest.mark.parametrize(
    "check",
    [check for check in CHECKS if check.fits(SEARCH_CAPABILITIES)],
    ids=lambda check: check.name,
)
async def test_a_measured_search_keeps_the_contract(check: SearchCheck) -> None:
    search = MeasuredSearch(MemorySearch(SYSTEM), "memory")
    for sample in SAMPLES:
        await search.prepare(sample)

    await check.run(search)


async def test_every_operation_is_counted_with_its_outcome() -> None:
    search, card = MeasuredSearch(MemorySearch(SYSTEM), "searched"), declaration_of(Card)

    await search.prepare(card)
    generation = await search.create(card)
    await search.index(card, generation).index([Document("a", 1, {"id": "a", "name": "chair"})])
    await search.swap(card, generation)
    with pytest.raises(UsageError):
        await search.drop(card, generation)
    index = search.index(card)
    await index.settle()
    hits, texts = await index.query(Ask("chair")), await index.suggest("ch")

    assert (hits.total, texts) == (1, ["chair"])
    assert counted("searched") == {
        ("prepare_index", "ok"): 1,
        ("create_index", "ok"): 1,
        ("index", "ok"): 1,
        ("swap_index", "ok"): 1,
        ("drop_index", "not applied"): 1,
        ("settle", "ok"): 1,
        ("search", "ok"): 1,
        ("suggest", "ok"): 1,
    }


def counted(store: str) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["operation"], sample.labels["outcome"]): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "rightstore_store_operations_total" and sample.labels["store"] == store
    }
