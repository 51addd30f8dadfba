"""Writes to several records in one step: read, then one transaction bound to what was read.

Its writes are those of `outcome`, so that versions and errors are exactly those of single writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from rightstore.adapters.dynamodb.item import Found, Items, size_of
from rightstore.adapters.dynamodb.outcome import Outcome, guard, outcome
from rightstore.adapters.dynamodb.records import identity, read_many, refused
from rightstore.adapters.dynamodb.wire import ATTEMPTS, LOOKS, CanceledError, InvalidError, Wire
from rightstore.clock import Clock
from rightstore.errors import StoreError, UnsupportedError, VersionConflictError
from rightstore.mutant import mutant
from rightstore.ports.records import Put, Seen, Write

MAX_WRITES = 100
MAX_SIZE = 4 * 1024 * 1024
Parts = Sequence[tuple[Items, Write]]
Before = Sequence[Found | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One write of a transaction: what it was made from, what it makes."""

    items: Items
    write: Write
    before: Found | None
    result: Outcome

    @property
    def base(self) -> int:
        """The version that it is bound to."""
        return self.before.version if self.before else 0

    def action(self) -> dict[str, Any]:
        """Return it as DynamoDB takes it."""
        bound = {"TableName": self.items.table, **guard(self.before)}
        if self.result.item is None:
            return {"ConditionCheck": {**bound, "Key": self.items.layout.key(self.write.key)}}
        return {"Put": {**bound, "Item": self.result.item}}


class Batches:
    """Writes batches."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire, self._clock = wire, clock

    async def write(self, parts: Parts) -> list[int]:
        """Do all of it or nothing; return the versions."""
        if len(parts) > MAX_WRITES:
            raise UnsupportedError(
                f"dynamodb writes up to {MAX_WRITES} records together, not {len(parts)}: split it, "
                "or make it a saga of several steps."
            )
        are_new = all(isinstance(write, Put) and write.expect == 0 for _, write in parts)
        before: Before = [None] * len(parts) if are_new else await self._read(parts)
        for attempt in range(ATTEMPTS):
            steps = self._steps(parts, before)
            try:
                await self._send(steps)
            except CanceledError:
                await self._wire.pause(attempt)
                before = await self._read(parts)
            except InvalidError as error:
                raise refused(parts[0][0]) from error
            else:
                return [step.result.version for step in steps]
        raise VersionConflictError(
            "dynamodb: others wrote the records of the transaction all the time: try it again."
        )

    def _steps(self, parts: Parts, before: Before) -> list[Step]:
        now = self._clock.now()
        steps = [
            Step(items, write, found, outcome(items, write, found, now))
            for (items, write), found in zip(parts, before, strict=True)
        ]
        size = sum(size_of(step.result.item) for step in steps if step.result.item)
        if size > MAX_SIZE:
            raise UnsupportedError(
                f"dynamodb writes up to {MAX_SIZE} bytes together, not {size}: split it."
            )
        return steps

    async def _read(self, parts: Parts) -> Before:
        """Return what is there now for each write."""
        wanted = [(items.table, items.layout.key(write.key)) for items, write in parts]
        found = await read_many(self._wire, wanted)
        there = [found.get((table, identity(key))) for table, key in wanted]
        return [
            items.found(item) if item else None
            for (items, _), item in zip(parts, there, strict=True)
        ]

    async def _send(self, steps: Sequence[Step]) -> None:
        """Send a transaction; CanceledError when it was not done and never will be."""
        arguments = {
            "TransactItems": [step.action() for step in steps],
            "ClientRequestToken": _token(steps),
        }
        try:
            await self._wire.send("transact_write_items", **arguments)
        except StoreError as lost:
            if lost.outcome == "not applied":
                raise
            if mutant("lost_reply_is_failure"):
                lost.outcome = "not applied"
                raise
            await self._resolve(steps, arguments, lost)

    async def _resolve(
        self, steps: Sequence[Step], arguments: Mapping[str, Any], lost: StoreError
    ) -> None:
        """Look for it, and send it again where it is not: of all copies one is done at most."""
        for attempt in range(LOOKS):
            try:
                if await self._is_done(steps, lost):
                    return
                await self._wire.send("transact_write_items", **arguments)
            except CanceledError as canceled:
                if canceled.is_final and not await self._is_done(steps, lost):
                    raise
            except (StoreError, VersionConflictError) as error:
                if error is lost:
                    raise
            else:
                return
            await self._wire.pause(attempt + 4)
        raise lost

    async def _is_done(self, steps: Sequence[Step], lost: StoreError) -> bool:
        """Tell whether a copy was done; raise what was lost when that cannot be told."""
        now = await self._read([(step.items, step.write) for step in steps])
        written = [
            (step, found)
            for step, found in zip(steps, now, strict=True)
            if step.result.item is not None
        ]
        if any(found and _is_of(step, found) for step, found in written):
            return True
        # All of it or nothing: one record that it cannot have written speaks for the rest.
        if any((found.version if found else 0) - step.base in (0, 1) for step, found in written):
            return False
        raise lost


def _is_of(step: Step, found: Found) -> bool:
    return not isinstance(step.write, Seen) and found.write_id == step.write.write_id


def _token(steps: Sequence[Step]) -> str:
    """Return what tells this transaction, bound to these versions, from all others."""
    parts = [
        f"{step.base} {'' if isinstance(step.write, Seen) else step.write.write_id}"
        for step in steps
    ]
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
