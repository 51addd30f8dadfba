"""Every string of the wiring's table means something; import contracts cannot see strings."""

from collections.abc import Iterator

import pytest

from rightstore.settings import STORES
from rightstore.wiring import ADAPTERS, resolve


def names() -> Iterator[str]:
    for adapter in ADAPTERS.values():
        yield from filter(None, (adapter.connect, adapter.checkup, adapter.bootstrap))


@pytest.mark.parametrize("name", list(names()))
def test_a_name_in_the_wiring_resolves(name: str) -> None:
    assert callable(resolve(name))


def test_every_store_has_an_adapter() -> None:
    assert tuple(ADAPTERS) == STORES
