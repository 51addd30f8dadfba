"""The port `search` on every store of search.

What each group of checks cannot catch is said at the top of its module in testing/contract. That
they can fail is shown in test_search_mutant.
"""

import pytest
from tests.contract.search import BUILDERS, STORES, case, url_of  # noqa: F401 - a fixture

from rightstore.testing.contract.search_check import SearchCheck
from rightstore.testing.contract.search_sample import SAMPLES
from rightstore.testing.contract.search_suite import CHECKS

CASES = [
    case(name, check, id=f"{name}-{check.name}")
    for name, (_, capabilities) in BUILDERS.items()
    for check in CHECKS
    if check.fits(capabilities)
]


@pytest.mark.parametrize(("store", "check"), CASES)
async def test_a_store_of_search_keeps_the_contract(
    store: str, check: SearchCheck, url: str, namespace: str
) -> None:
    build, _ = BUILDERS[store]

    async with build(url, namespace) as opened:
        for sample in SAMPLES:
            await opened.prepare(sample)
        await check.run(opened)


@pytest.mark.parametrize("store", STORES)
async def test_a_store_declares_what_it_can_do(store: str, url: str, namespace: str) -> None:
    build, capabilities = BUILDERS[store]

    async with build(url, namespace) as opened:
        assert opened.capabilities == capabilities


def test_the_names_of_the_checks_differ() -> None:
    names = [check.name for check in CHECKS]

    assert len(set(names)) == len(names)
