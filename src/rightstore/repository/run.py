"""Run a function in a transaction: again when a store asks for it, once only where a key says so.

It keeps no state in this process: any other one gives the same answer to the same key.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from rightstore.clock import Clock, current
from rightstore.errors import AlreadyExistsError, StoreError, VersionConflictError
from rightstore.mutant import mutant
from rightstore.ports.records import Stored
from rightstore.repository.buffer import Buffer
from rightstore.repository.mark import Once, mark_in
from rightstore.repository.scope import Places, Scope
from rightstore.repository.transaction import Transaction

A = TypeVar("A")
R = TypeVar("R")
ATTEMPTS = 12
FIRST_WAIT, LONGEST_WAIT = 0.004, 0.25
# How often the mark of an effect whose outcome is unknown is looked for.
LOOKS = 3


async def run(
    places: Places,
    do: Callable[[A, Transaction], Awaitable[R]],
    arg: A,
    *,
    once: str | None = None,
    clock: Clock | None = None,
) -> R:
    """Run `do(arg, tx)` in a transaction and return what it returns; if it raises, nothing is done.

    When something has moved on meanwhile it runs again, up to a bound, unless the conflict is with
    a version that it brought along: so it must do nothing but read and write through `tx`.

    With `once`, the key and argument have one effect within a day, and every call gives its result;
    a call with another argument is a KeyReusedError. An unknown outcome is looked up by the key;
    where it stays unknown, call again with the same key.
    """
    time = clock or current.get()
    call = _Call(places, do, arg, None if once is None else Once.of(do, arg, once), time)
    attempt = 0
    while True:
        attempt += 1
        scope = Scope(places, is_marked=once is not None)
        buffer = Buffer(scope)
        try:
            return await call.answer(scope, buffer)
        except (VersionConflictError, AlreadyExistsError) as error:
            if attempt == ATTEMPTS or await buffer.is_final(error):
                raise
        await time.sleep(_wait(attempt))


def _wait(attempt: int) -> float:
    """Return how long to wait: at random, so that those who collided do not collide again."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2**attempt)
    return random.uniform(0, longest)  # noqa: S311 - it hides nothing


@dataclass(frozen=True, slots=True)
class _Call(Generic[A, R]):
    """A function with its argument, and the key that says that it was done before."""

    places: Places
    do: Callable[[A, Transaction], Awaitable[R]]
    arg: A
    once: Once[R] | None
    clock: Clock

    async def answer(self, scope: Scope, buffer: Buffer) -> R:
        """Return what the function gives, or gave when it took effect with this key."""
        if self.once is None:
            return await self._effect(scope, buffer, None)
        async with _Marked(self.once, scope, self.clock) as marked:
            return await self._effect(scope, buffer, self.once)
        return marked.result()

    async def _effect(self, scope: Scope, buffer: Buffer, once: Once[R] | None) -> R:
        async with scope.open(once.id if once else None):
            result = await self.do(self.arg, Transaction(self.places, scope, buffer))
            mark = None
            if once is not None and not mutant("no_mark"):
                with buffer.foreseen():
                    mark = mark_in(scope.group), once.put(result, self.clock.now())
            await buffer.commit(mark)
        buffer.stamp()
        return result


class _Marked(Generic[R]):
    """A block that fails only if its effect is not there: else `result` is what was marked.

    A function that sees its own effect of an earlier call may well raise, whatever it raises.
    """

    def __init__(self, once: Once[R], scope: Scope, clock: Clock) -> None:
        self._once, self._scope, self._clock = once, scope, clock
        self._found: Stored | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: Any, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if isinstance(error, StoreError):
            await self._look_again(error)
        else:
            await self._look()
        return self._found is not None

    def result(self) -> R:
        """Return what the call gave that took effect."""
        assert self._found is not None  # noqa: S101 - the block was left in no other way
        return self._once.result(self._found)

    async def _look(self) -> None:
        records = self._scope.store.records(mark_in(self._scope.group))
        self._found = await records.get(self._once.id)

    async def _look_again(self, error: StoreError) -> None:
        """Look for a mark that may still be on its way; while nobody answers, `error` stands."""
        for attempt in range(1, LOOKS + 1 if error.outcome == "unknown" else 2):
            try:
                await self._look()
            except StoreError:
                self._found = None
            if self._found is not None:
                return
            await self._clock.sleep(_wait(attempt))
