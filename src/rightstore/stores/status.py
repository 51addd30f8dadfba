"""How the stores of an application are, as values. It asks nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rightstore.ports.placement import Placement


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """One store: whether it serves; how many connections this process has, where that is known."""

    ok: bool
    connections: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """All stores that the application uses, and where each of its entities lives."""

    stores: Mapping[str, StoreStatus]
    placements: Sequence[Placement]
