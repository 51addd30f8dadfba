"""One check of a contract: a sentence that holds of a store, and what the store must be able to do.

A check gets a store that has room for the samples. It may hold records of other checks: each check
makes its own keys and asks for its own room only.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import ModuleType

from rightstore.ports.capability import Capability
from rightstore.ports.records import RecordStore

Run = Callable[[RecordStore], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """Run it on a store that has all it `needs`; a refusal, on a store that `lacks` that one."""

    name: str
    run: Run
    needs: frozenset[Capability]
    lacks: Capability | None = None

    def fits(self, capabilities: frozenset[Capability]) -> bool:
        """Tell whether a store with these capabilities must pass it."""
        return self.needs <= capabilities and self.lacks not in capabilities


def check(*needs: Capability) -> Callable[[Run], Check]:
    """Make a function a check of stores that can do all this."""
    return lambda run: Check(getattr(run, "__name__", ""), run, frozenset(needs))


def refusal(lacks: Capability) -> Callable[[Run], Check]:
    """Make a function a check of stores that lack this."""
    return lambda run: Check(getattr(run, "__name__", ""), run, frozenset(), lacks)


def checks_of(modules: Iterable[ModuleType]) -> tuple[Check, ...]:
    """Return the checks in these modules, in their order."""
    return tuple(
        found for module in modules for found in vars(module).values() if isinstance(found, Check)
    )
