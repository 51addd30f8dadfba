"""Let what waits at the same moment go together. It waits for nobody: no timer, no fixed size."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rightstore.errors import UnavailableError

# A row as the driver gives it, or None where the statement found none.
Answer: TypeAlias = "Any | None"
MOST = 256


@dataclass(slots=True)
class Ask:
    """A statement about one row, and who waits for its answer."""

    statement: str
    values: tuple[Any, ...] = field(repr=False)
    answer: "asyncio.Future[Answer]" = field(repr=False)

    def give(self, answer: Answer) -> None:
        """Hand over the answer, if anybody still waits."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Hand over an error of its own."""
        if not self.answer.done():
            self.answer.set_exception(error)


Lane: TypeAlias = Callable[[list[Ask]], Awaitable[None]]


class Gathering:
    """Serves what is asked by a few lanes; what is asked while all are busy leaves together.

    A lane answers each of its asks. One that nobody waits for any more is left out.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._idle = list(lanes)
        self._waiting: deque[Ask] = deque()
        self._serving: set[asyncio.Task[None]] = set()

    async def ask(self, statement: str, values: tuple[Any, ...]) -> Answer:
        """Return the answer to this statement."""
        return await self.asked(statement, values)

    def asked(self, statement: str, values: tuple[Any, ...]) -> "asyncio.Future[Answer]":
        """Put a statement in the queue; return where its answer comes."""
        ask = Ask(statement, values, asyncio.get_running_loop().create_future())
        self._waiting.append(ask)
        if self._idle:
            # It runs in the next turn of the loop: what is asked in this one still goes with it.
            task = asyncio.create_task(self._serve(self._idle.pop()))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        return ask.answer

    async def close(self) -> None:
        """Return when nothing is in flight or waits."""
        while self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, lane: Lane) -> None:
        try:
            while batch := self._take():
                try:
                    await lane(batch)
                finally:
                    for ask in batch:
                        if not ask.answer.done():
                            ask.fail(_broken_off())
        finally:
            self._idle.append(lane)

    def _take(self) -> list[Ask]:
        batch: list[Ask] = []
        while self._waiting and len(batch) < MOST:
            ask = self._waiting.popleft()
            if not ask.answer.done():
                batch.append(ask)
        return batch


def _broken_off() -> UnavailableError:
    return UnavailableError(
        "postgres: the event loop ended before the answer came: look whether it was done",
        store="postgres",
        operation="write",
    )
