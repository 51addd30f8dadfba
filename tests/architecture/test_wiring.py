"""Every string of the wiring's table means something; import contracts cannot see strings."""

import subprocess
import sys
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


def test_portability_is_judged_without_any_driver() -> None:
    drivers = [adapter.driver for adapter in ADAPTERS.values()]
    program = f"""
import sys
sys.modules.update(dict.fromkeys({drivers!r}))
from rightstore import wiring
for store, adapter in wiring.ADAPTERS.items():
    for word in ("portability", "capabilities", "searchable"):
        if word in adapter.parts:
            wiring.part(store, word)
"""

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
