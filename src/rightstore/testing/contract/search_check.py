"""One check of the contract of search: a sentence, and what the store must be able to do.

A check gets a store with a live index for each sample. It may hold documents of other checks: each
check makes its own keys and asks for its own room only.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rightstore.ports.search import SearchCapability, SearchStore

Run = Callable[[SearchStore], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SearchCheck:
    """Run it on a store that has all it `needs`; a refusal, on a store that `lacks` that one."""

    name: str
    run: Run
    needs: frozenset[SearchCapability]
    lacks: SearchCapability | None = None

    def fits(self, capabilities: frozenset[SearchCapability]) -> bool:
        """Tell whether a store with these capabilities must pass it."""
        return self.needs <= capabilities and self.lacks not in capabilities


def check(*needs: SearchCapability) -> Callable[[Run], SearchCheck]:
    """Make a function a check of stores that can do all this."""
    return lambda run: SearchCheck(getattr(run, "__name__", ""), run, frozenset(needs))


def refusal(lacks: SearchCapability) -> Callable[[Run], SearchCheck]:
    """Make a function a check of stores that lack this."""
    return lambda run: SearchCheck(getattr(run, "__name__", ""), run, frozenset(), lacks)
