"""What the laws are tried on: every store of records that this run has."""

import os
from collections.abc import Mapping

import pytest

from tests.laws.store import STORES


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Each store of records in turn."""
    return str(request.param)


@pytest.fixture
def url(store: str, store_urls: Mapping[str, str]) -> str:
    """Where its server is; a missing one is skipped, but not where servers are required."""
    if store not in store_urls:
        message = f"no {store} server: set {store.upper()}_URL, or run `make test-servers`"
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return store_urls[store]
