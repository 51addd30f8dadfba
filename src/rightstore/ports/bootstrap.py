"""Port `bootstrap`: make an empty server ready for its first owner. It knows nothing of records."""

from dataclasses import dataclass, field
from typing import Protocol

from rightstore.ports.connection import Target


@dataclass(frozen=True, slots=True)
class Owner:
    """The user that the applications connect as, and the database that is theirs."""

    database: str
    user: str
    password: str = field(repr=False)


class Bootstrap(Protocol):
    """What a fresh server needs once."""

    async def __call__(self, admin: Target, owner: Owner) -> None:
        """Create the owner and its database, with no more rights than they need.

        Idempotent: after a crash in the middle it is called again; an owner who exists gets the
        password given. Raises StoreError when the server does not do it.
        """
        ...
