"""Port `retention`: remove what has expired, a little at a time. Reads never see it anyway."""

from typing import Protocol

from rightstore.model.declaration import Declaration


class Expiry(Protocol):
    """What removes expired records where the store does not do it by itself."""

    async def remove_expired(self, declaration: Declaration, limit: int) -> int:
        """Remove up to `limit` records for good, tombstone and all; return how many it were.

        The moment is that of the store. Less than the limit: there are no more now. Any number of
        processes may do it at once.
        """
        ...
