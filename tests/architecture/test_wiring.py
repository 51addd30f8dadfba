"""Every string of the wiring's table means something; import contracts cannot see strings."""

from collections.abc import Iterator

import pytest

from rightstore.settings import STORES
from rightstore.wiring import ADAPTERS, MEMORY, resolve


def names() -> Iterator[str]:
    yield MEMORY
    for adapter in ADAPTERS.values():
        yield from adapter.parts.values()


@pytest.mark.parametrize("name", list(names()))
def test_a_name_in_the_wiring_resolves(name: str) -> None:
    assert resolve(name) is not None


def test_every_store_has_an_adapter() -> None:
    assert tuple(ADAPTERS) == STORES
