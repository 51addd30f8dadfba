"""Port `exclusion`: an advisory lock of PostgreSQL, which ends with the connection that has it."""

import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.ddl import Session, owned
from rightstore.adapters.postgres.errors import translated
from rightstore.clock import Clock
from rightstore.errors import InProgressError
from rightstore.mutant import mutant

EVERY = 0.25
NAME = "SELECT set_config('application_name', $1, false)"
TAKE = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
HOLDER = """
SELECT activity.application_name, activity.usename, activity.pid,
       round(extract(epoch FROM clock_timestamp() - activity.backend_start))::int AS seconds
FROM pg_locks AS lock
JOIN pg_stat_activity AS activity USING (pid)
WHERE lock.granted AND lock.locktype = 'advisory' AND lock.objsubid = 1
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.classid::bigint << 32 | lock.objid::bigint) = hashtextextended($1, 0)
"""


class PostgresExclusion:
    """Rights over all processes that connect to this database."""

    def __init__(self, connection: PostgresConnection, namespace: str, clock: Clock) -> None:
        self._target, self._namespace, self._clock = connection.target, namespace, clock

    def hold(
        self, name: str, *, within: float, waiting: Callable[[str], None]
    ) -> AbstractAsyncContextManager[None]:
        """Hold the right of this name for the block."""
        return self._hold(f"rightstore {name}", within, waiting)

    @asynccontextmanager
    async def _hold(
        self, name: str, within: float, waiting: Callable[[str], None]
    ) -> AsyncIterator[None]:
        async with owned(self._target, self._namespace) as session:
            with translated("exclusion", at=self._target.address, outcome="not applied"):
                # Who waits for us shall read where we are; the server cuts it to 63 bytes.
                await session.execute(NAME, f"rightstore {socket.gethostname()}:{os.getpid()}")
            await self._take(session, name, within, waiting)
            yield

    async def _take(
        self, session: Session, name: str, within: float, waiting: Callable[[str], None]
    ) -> None:
        until, told = self._clock.monotonic() + within, ""
        while True:
            with translated("exclusion", at=self._target.address, outcome="not applied"):
                if await session.fetchval(TAKE, name) or mutant("no_exclusion"):
                    return
                holder = _shown(await session.fetch(HOLDER, name))
            if self._clock.monotonic() >= until:
                raise InProgressError(
                    f"{name}: {holder} is at it, and was not done after {within:g} s; wait for it, "
                    "or end that session, and do this again.",
                    retry_after=within,
                )
            if holder and holder != told:
                waiting(f"{name}: waiting for {holder}")
                told = holder
            await self._clock.sleep(EVERY)


def _shown(holders: Sequence[asyncpg.Record]) -> str:
    """Say who holds it, the same text as long as it is the same holder."""
    return ", ".join(
        f"{holder['application_name']} ({holder['usename']}, pid {holder['pid']})"
        for holder in holders
    )
