"""Bring the records of an older schema to the declared one, a batch at a time.

Killed at any moment it goes on where it was: what is upgraded is not found again. A record that is
written meanwhile is left to its writer.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from rightstore.clock import Clock
from rightstore.errors import CorruptDataError, StateError, StoreError, VersionConflictError
from rightstore.model.declaration import Declaration
from rightstore.model.record import from_stored, to_stored
from rightstore.mutant import mutant
from rightstore.ports.records import Put, Records, RecordStore, Stored
from rightstore.ports.schema import Step
from rightstore.ports.upgrade import Upgrades

BATCH = 200
OVERWRITES = mutant("upgrade_overwrites")


@dataclass(frozen=True, slots=True)
class Upgrading:
    """Implements `Structure`: the records of one entity in one store."""

    store: str
    declaration: Declaration
    records: RecordStore
    upgrades: Upgrades
    clock: Clock
    report: Callable[[str, int], None] = lambda entity, done: None
    batch: int = BATCH

    async def plan(self) -> list[Step]:
        """Return one step when any record is of an older schema."""
        if self.declaration.schema == 1:
            return []
        async for found in self._older(limit=1):
            if found:
                return [self._step()]
        return []

    async def apply(self, step: Step) -> None:
        """Upgrade all of them; as long as it works it then rests, so that others get on."""
        # An upgrade changes no meaning, so it is allowed where a caller may only append.
        relaxed = replace(self.declaration, append_only=False)
        records = self.records.records(relaxed)
        done, refused = 0, 0
        began = self.clock.monotonic()
        async for found in self._older(limit=self.batch):
            upgraded, failed = await self._upgrade(records, found)
            done, refused = done + upgraded, refused + failed
            self.report(self.declaration.name, done)
            await self.clock.sleep(self.clock.monotonic() - began)
            began = self.clock.monotonic()
        if refused:
            raise CorruptDataError(
                f"{refused} records of {self.declaration.name} in {self.store} cannot be upgraded: "
                "a unique index or a limit forbids what the upgrade makes of them; correct the "
                "records or the upgrade, and apply again.",
                store=self.store,
                operation="upgrade",
                outcome="not applied",
            )

    def _step(self) -> Step:
        action = f"bring its records to schema {self.declaration.schema}"
        return Step(self.store, self.declaration.name, action, phase="upgrade")

    async def _older(self, limit: int) -> AsyncIterator[list[Stored]]:
        """Yield batches of older records, empty ones too, once through the store."""
        after: str | None = None
        while True:
            found = await self.upgrades.older(self.declaration, limit, after)
            yield found.records
            after = found.next
            if after is None:
                return

    async def _upgrade(self, records: Records, found: list[Stored]) -> tuple[int, int]:
        """Write what the upgrades make of these; return how many were written and refused."""
        if not found:
            return 0, 0
        puts = [
            Put(each.key, self._upgraded(each), "any" if OVERWRITES else each.version)
            for each in found
        ]
        outcomes = await records.put_many(puts)
        for outcome in outcomes:
            if isinstance(outcome, StoreError):
                raise outcome
        refused = [
            outcome
            for outcome in outcomes
            if isinstance(outcome, StateError) and not isinstance(outcome, VersionConflictError)
        ]
        return sum(isinstance(outcome, int) for outcome in outcomes), len(refused)

    def _upgraded(self, stored: Stored) -> dict[str, object]:
        """Return a record as a put of it would store it: read, upgraded, judged, written."""
        return to_stored(
            from_stored(
                self.declaration.entity,
                stored.data,
                version=stored.version,
                schema=stored.schema,
                store=self.store,
            )
        )
