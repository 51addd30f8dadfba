"""Port `placement`: where each entity lives now, kept in the control store. It moves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rightstore.model.declaration import StoreName


@dataclass(frozen=True, slots=True)
class Placement:
    """One entity, the store that it is declared to start in, and the store that it lives in."""

    entity: str
    home: StoreName
    store: StoreName

    @property
    def is_elsewhere(self) -> bool:
        """Whether it lives in another store than its declaration wishes."""
        return self.store != self.home


class Placements(Protocol):
    """The placements of one application's entities. A recorded one wins over `home=`."""

    async def read(self) -> Mapping[str, Placement]:
        """Return the recorded placement of each entity, by its name; empty before the first."""
        ...

    async def record(self, placements: Sequence[Placement]) -> Mapping[str, Placement]:
        """Record entities that have no placement yet, and the home of those that have; return all.

        The store of a recorded one stays as it is: of two processes at once the first one wins, for
        each entity. Raises StoreError when the room for it is not there.
        """
        ...


class Atlas(Protocol):
    """The placements of all applications that share a control store."""

    async def __call__(self) -> Mapping[str, Sequence[Placement]]:
        """Return those of each application by its name, as far as this user may read them."""
        ...
