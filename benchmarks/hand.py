"""What is written by hand for each store, to be compared with."""

from collections.abc import Sequence
from typing import Protocol

from benchmarks.workload import Plain


class ByHand(Protocol):
    """The operations on one table or collection, as a careful developer writes them."""

    async def get(self, key: str) -> Plain:
        """Read one record."""
        ...

    async def get_many(self, keys: Sequence[str]) -> list[Plain | None]:
        """Read many, in the order asked."""
        ...

    async def put(self, record: Plain, version: int) -> int:
        """Store a record if the one there has this version; return the new one."""
        ...

    async def change(self, key: str, amount: int) -> Plain:
        """Add to a number of what is there, unless it is negative."""
        ...

    async def find(self, category: str, limit: int) -> list[Plain]:
        """Find the cheapest of a category."""
        ...

    async def bulk(self, records: Sequence[Plain]) -> int:
        """Store many new records."""
        ...
