"""Port `schema`: make room in one store for what is declared. It moves and upgrades no records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from rightstore.model.declaration import Declaration

Phase = Literal["expand", "upgrade", "contract"]


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a store's structure, in words for people and as the adapter's own `order`.

    `destructive` when data or a promise is lost with it (a table goes; a unique index goes does not
    lose data, but is one too). `phase` is "contract" when code that ran before would miss what goes
    or break on what comes, and when the step needs such a step before it. `needed` when, all the
    same, the code that declares it cannot run without.
    """

    store: str
    subject: str
    action: str
    destructive: bool = False
    order: Any = field(default=None, repr=False, compare=False)
    phase: Phase = "expand"
    needed: bool = False


class Schema(Protocol):
    """The structure of one store: what is declared, what is there, the way from this to that.

    The namespace (PostgreSQL: a schema; MongoDB: a database; the others: a prefix) belongs to one
    application; what lies outside it is neither seen nor touched.
    """

    async def plan(self, declarations: Sequence[Declaration]) -> list[Step]:
        """Compare what is there with these entities; return what is to be done, in its order.

        An empty list: everything is there. Nothing is changed. What is there and belongs to no
        entity given is dropped by a destructive step only when it is known to be Rightstore's own.
        """
        ...

    async def apply(self, step: Step) -> None:
        """Do one step of a plan; doing it again, or doing it in two processes, does no harm.

        A half-done step (an index that was being built) is finished or begun again. It never waits
        longer for a lock than the lock timeout: then it raises a StoreError that says what holds
        it.
        """
        ...


class Structure(Protocol):
    """A part of one store's structure that already knows what it shall be: tables, rights, …"""

    async def plan(self) -> list[Step]:
        """Return what is to be done, in its order, as `Schema.plan` does."""
        ...

    async def apply(self, step: Step) -> None:
        """Do one step of its plan, as `Schema.apply` does."""
        ...
