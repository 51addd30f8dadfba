"""What became of a transaction whose COMMIT was not answered, and waiting that nothing breaks off.

It asks by the transaction's id, on a connection of its own. A server that was restored or failed
over to a replica that lacked the transaction cannot tell: such an id is not known there.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from rightstore.adapters.postgres.errors import translated
from rightstore.adapters.postgres.session import Dial, Driver
from rightstore.clock import Clock
from rightstore.errors import StoreError, UnavailableError
from rightstore.mutant import mutant

T = TypeVar("T")
XID = "SELECT pg_current_xact_id_if_assigned()::text"
STATUS = "SELECT pg_xact_status($1::text::xid8)"
# By the id, not by the process: a pooler in between tells another process than ours.
END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_xid = $1::text::xid8::xid AND pid <> pg_backend_pid()
"""
GRACE = 0.5
EVERY = 0.05


async def settled(work: Coroutine[Any, Any, T], seconds: float, give_up: Callable[[], None]) -> T:
    """Return what the work returns; a cancellation waits until it is over, and is kept.

    After `seconds` `give_up` is called, which must make the work end.
    """
    task = asyncio.ensure_future(work)
    timer = asyncio.get_running_loop().call_later(seconds, give_up)
    cancelled: asyncio.CancelledError | None = None
    try:
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:
                cancelled = error
    finally:
        timer.cancel()
    if cancelled is not None:
        task.cancelled() or task.exception()  # looked at, or the loop would complain
        raise cancelled
    return task.result()


class Outcomes:
    """Finds out what became of transactions."""

    def __init__(self, dial: Dial, clock: Clock) -> None:
        self._dial, self._clock = dial, clock

    async def resolve(self, xid: str, failure: StoreError) -> None:
        """Return if the transaction was committed; raise what `failure` becomes if it was not.

        What was never decided is aborted: whoever still runs it is ended. Raises `failure` as it
        is, outcome unknown, when the server cannot tell within the timeout.
        """
        if mutant("commit_lost_is_failure"):
            failure.outcome = "not applied"
            raise failure
        status = await self._status(xid)
        if status == "committed":
            return
        if status != "aborted":
            failure.outcome = "unknown"
            raise failure
        raise UnavailableError(
            f"postgres at {self._dial.target.address} did not get the COMMIT, or did not carry it "
            "out: nothing was changed: do it again",
            store="postgres",
            operation="commit",
            outcome="not applied",
        ) from failure

    async def _status(self, xid: str) -> str | None:
        """Return "committed" or "aborted"; None when that is not to be learned."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._dial.target.timeout):
                patient_until = self._clock.monotonic() + GRACE
                while True:
                    with suppress(StoreError):
                        is_late = self._clock.monotonic() > patient_until
                        status = await self._ask(xid, end=is_late)
                        if status != "in progress":
                            return status
                    await self._clock.sleep(EVERY)
        return None

    async def _ask(self, xid: str, *, end: bool) -> str | None:
        session = await self._dial.connect()
        try:
            with translated("commit", at=self._dial.target.address):
                return await _status_of(session, xid, end=end)
        finally:
            session.terminate()


async def _status_of(session: Driver, xid: str, *, end: bool) -> str | None:
    if end:
        await session.execute(END, xid)
    try:
        status: str | None = await session.fetchval(STATUS, xid)
    except asyncpg.DataError:  # an id of the future: the server does not have the transaction
        return None
    return status
