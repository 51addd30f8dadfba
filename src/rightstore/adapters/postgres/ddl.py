"""Statements that change the structure, on a connection of their own, with patience for locks.

It knows no table and no plan. A pool's connection will not do: its statement timeout would break
off an index that takes an hour to build.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from rightstore.adapters.postgres.errors import translated
from rightstore.clock import Clock
from rightstore.errors import ConstraintError, DeadlineError, Outcome, RejectedError
from rightstore.ports.connection import Target
from rightstore.ports.schema import Step

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
APPLICATION = "rightstore schema"
ATTEMPTS = 5
LOCK_NOT_AVAILABLE = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
STRUCTURAL = (asyncpg.SyntaxOrAccessError, asyncpg.FeatureNotSupportedError)

HOLDERS = """
SELECT DISTINCT activity.pid, activity.usename, activity.application_name, activity.state,
       round(extract(epoch FROM clock_timestamp() - activity.xact_start))::int AS seconds
FROM pg_locks AS lock
JOIN pg_stat_activity AS activity USING (pid)
WHERE lock.granted AND lock.locktype = 'relation' AND lock.pid <> pg_backend_pid()
  AND lock.relation IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace($1))
ORDER BY seconds DESC NULLS LAST
LIMIT 3
"""


@dataclass(frozen=True, slots=True)
class Order:
    """Statements of one step: all in one transaction, or `alone`, each in its own."""

    statements: tuple[str, ...]
    alone: bool = False

    @property
    def outcome(self) -> Outcome:
        """What a refusal of one of them means: of several transactions some may be done."""
        return "unknown" if self.alone else "not applied"


@asynccontextmanager
async def owned(target: Target, *path: str) -> AsyncIterator[Session]:
    """Lend a new connection that looks for names in these schemas, and close it."""
    with translated("schema", at=target.address, outcome="not applied"):
        session = await asyncpg.connect(
            target.url,
            timeout=target.connect_timeout,
            server_settings={
                "application_name": APPLICATION,
                "search_path": ", ".join(map(quoted, path)),
                "lock_timeout": str(round(target.lock_timeout * 1000)),
            },
        )
    try:
        yield session
        with translated("schema", at=target.address):
            async with asyncio.timeout(target.timeout):
                await session.close()
    finally:
        session.terminate()


class Ddl:
    """Carries out orders in one namespace."""

    def __init__(
        self, target: Target, namespace: str, clock: Clock, *, path: tuple[str, ...] = ()
    ) -> None:
        """`path`: schemas beside the application's whose names the statements use."""
        self._target, self._namespace, self._clock = target, namespace, clock
        self._path = path

    async def run(self, order: Order, what: str) -> None:
        """Do it; a lock that is not to be had is tried for again, a few times.

        ConstraintError when the rows that are there forbid it.
        """
        async with owned(self._target, self._namespace, *self._path) as session:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    await self._do(session, order, what)
                    return
                except LOCK_NOT_AVAILABLE as error:
                    if attempt == ATTEMPTS:
                        raise await self._locked(session, order, what) from error
                await self._clock.sleep(random.uniform(0.1, 0.3) * 2**attempt)  # noqa: S311 - no secret

    async def _do(self, session: Session, order: Order, what: str) -> None:
        with translated("schema", at=self._target.address):
            try:
                await _execute(session, order)
            except asyncpg.IntegrityConstraintViolationError as error:
                raise ConstraintError(
                    f"postgres: {what}: rows that are there already break this rule; correct them, "
                    "or give the column a server_default, and apply again."
                ) from error
            except LOCK_NOT_AVAILABLE as error:
                locked = error
            except STRUCTURAL as error:
                raise self._refused(error, order, what) from error
            else:
                return
        raise locked

    def _refused(self, error: asyncpg.PostgresError, order: Order, what: str) -> RejectedError:
        """Say what the server says: it names structure here, and no value of a row."""
        if isinstance(error, asyncpg.InsufficientPrivilegeError):
            remedy = "connect as the owner: set POSTGRES_OWNER_URL"
        else:
            remedy = "correct the declaration, or make the change by hand"
        return RejectedError(
            f"postgres at {self._target.address}: {what}: {error.args[0]}; {remedy}.",
            store="postgres",
            operation="schema",
            outcome=order.outcome,
        )

    async def _locked(self, session: Session, order: Order, what: str) -> DeadlineError:
        with translated("schema", at=self._target.address, outcome="not applied"):
            holders = await session.fetch(HOLDERS, self._namespace)
        shown = ", ".join(
            f"pid {holder['pid']} ({holder['usename']}, {holder['application_name'] or 'unnamed'}, "
            f"{holder['state']}, for {holder['seconds'] or 0} s)"
            for holder in holders
        )
        return DeadlineError(
            f"postgres at {self._target.address}: {what}: no lock in {ATTEMPTS} tries of "
            f"{self._target.lock_timeout:g} s, held by {shown or 'somebody who is gone by now'}; "
            "end that transaction, or apply again when there is less to do.",
            store="postgres",
            operation="schema",
            outcome=order.outcome,
        )


async def _execute(session: Session, order: Order) -> None:
    if order.alone:
        for statement in order.statements:
            await session.execute(statement)
        return
    async with session.transaction():
        for statement in order.statements:
            await session.execute(statement)


def room(namespace: str) -> Step:
    """Return the step that makes the schema of an application; whoever needs it plans it alike."""
    order = Order((f"CREATE SCHEMA IF NOT EXISTS {quoted(namespace)}",))
    return Step("postgres", f"schema {namespace}", "create it", order=order)


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a literal of SQL, for statements that take no parameters."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
