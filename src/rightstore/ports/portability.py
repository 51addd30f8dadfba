"""Port `portability`: can this store hold that entity? Judged by declaration alone, without I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a store cannot hold an entity: what is in the way, and what to change."""

    subject: str
    reason: str
    remedy: str


class Portability(Protocol):
    """What one kind of store can hold at all."""

    def __call__(self, declaration: Declaration) -> Sequence[Obstacle]:
        """Return everything that is in the way; nothing when the store can hold the entity."""
        ...


def missing(declaration: Declaration, capabilities: frozenset[Capability]) -> Iterator[Obstacle]:
    """Yield what a declaration wishes that a store with only these capabilities does not do."""
    for index in declaration.indexes:
        subject = f"Index({', '.join(index.fields)})"
        if index.text and "text" not in capabilities:
            yield Obstacle(
                subject,
                "it has no full-text index",
                "drop text=True, or keep the entity in a store that has one",
            )
        if index.unique and "unique" not in capabilities:
            yield Obstacle(
                subject,
                "it keeps nothing unique but keys",
                "make the field the key of an entity of its own, in the same group",
            )
