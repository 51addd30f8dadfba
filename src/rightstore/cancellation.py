"""Cancellation is never lost: some drivers swallow it, and go on or fail in another way instead.

It cancels nothing and waits for nothing.
"""

import asyncio
from types import TracebackType
from typing import Self


class Cancellable:
    """A block that ends with CancelledError if its task was cancelled while it ran.

    A task that was cancelled before, and cleans up, may run such a block to its end. A timeout must
    be inside the block, so that what it cancelled is over when the block ends.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = _current_task()
        self._before: int = self._task.cancelling() if self._task else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        if self._task is None or isinstance(error, asyncio.CancelledError):
            return
        if self._task.cancelling() > self._before:
            raise asyncio.CancelledError from error


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        # No event loop runs: there is nothing to cancel.
        return None
