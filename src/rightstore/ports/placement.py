"""Port `placement`: where each entity lives now, kept in the control store. It moves nothing."""

from collections.abc import Mapping
from typing import Protocol

from rightstore.model.declaration import StoreName


class Placements(Protocol):
    """The placements of one application's entities. A recorded one wins over `home=`."""

    async def read(self) -> Mapping[str, StoreName]:
        """Return the recorded store of each entity, by its name; empty before the first."""
        ...

    async def record(self, first: Mapping[str, StoreName]) -> Mapping[str, StoreName]:
        """Record entities that have no placement yet; return all that are recorded then.

        Of two processes at once the first one wins, for each entity.
        """
        ...
