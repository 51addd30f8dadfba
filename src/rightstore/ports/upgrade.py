"""Port `upgrade`: find the records that an older schema left. It writes none and knows no upgrade.

They are written by port `records`: an upgrade is a `put` that expects the version it was made from.
"""

from dataclasses import dataclass, field
from typing import Protocol

from rightstore.model.declaration import Declaration
from rightstore.ports.records import Stored


@dataclass(frozen=True, slots=True)
class Older:
    """Records of an older schema, and the position to look on from; None: that was all."""

    records: list[Stored] = field(default_factory=list[Stored])
    next: str | None = field(default=None, repr=False)


class Upgrades(Protocol):
    """What one store still has of older schemas."""

    async def older(self, declaration: Declaration, limit: int, after: str | None = None) -> Older:
        """Return up to `limit` records whose schema number is below the declared one.

        `after` is the `next` of the call before. A call looks at a bounded number of records: its
        answer may hold none and still have a `next`. A record that is older from the first call to
        the last is given exactly once; deleted and expired ones are not given. Where there is no
        room for the entity yet there are none.
        """
        ...
