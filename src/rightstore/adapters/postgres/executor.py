"""Who runs statements: the pool, each by itself, or one connection in somebody's transaction.

An executor knows no records. What the server answered is an error of ours here, and the outcome of
a statement that failed is "not applied", unless its answer was lost.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import asyncpg

from rightstore.adapters.postgres.answer import KeyTakenError, is_answer, refusal
from rightstore.adapters.postgres.client import Backend, PostgresConnection, Session, backend_of
from rightstore.adapters.postgres.errors import DRIVER_ERRORS, translated
from rightstore.adapters.postgres.table import Statement
from rightstore.clock import SYSTEM
from rightstore.errors import RightstoreError, StoreError

Rows = Sequence[Any]
WHO_IS_THERE = "SELECT state FROM pg_stat_get_activity($1) WHERE pid = $1 AND backend_start = $2"
END_IT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_get_activity($1) "
    "WHERE pid = $1 AND backend_start = $2"
)
PATIENCE, PAUSE = 0.5, 0.02


class LostReplyError(Exception):
    """A statement was sent, and no answer came. It does not leave this room."""

    def __init__(self, error: StoreError, backend: Backend, wal: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.backend = backend
        self.wal = wal


class Executor(Protocol):
    """Runs statements about the records of an entity, whose name is for messages."""

    async def read(self, name: str, statement: Statement) -> Rows:
        """Run what changes nothing; return its rows."""
        ...

    async def write(self, name: str, statement: Statement) -> Rows:
        """Run what may change something. LostReplyError when nobody knows yet whether it did."""
        ...

    async def after(self, name: str, lost: LostReplyError, statement: Statement) -> Rows:
        """Run what reads, once the lost statement can have no effect any more.

        Behind a pooler nobody knows when that is: it is only read. StoreError when that cannot be
        had within the timeout.
        """
        ...

    @property
    def can_repeat(self) -> bool:
        """Whether a statement that failed may be run again: it was a transaction by itself."""
        ...


class PoolExecutor:
    """Runs each statement as a transaction of its own on a connection of the pool."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection
        self._at = connection.target.address
        # How far the log of each life of the server is known to be.
        self._wal: dict[datetime, int] = {}

    @property
    def can_repeat(self) -> bool:
        """Each statement was a transaction by itself."""
        return True

    async def read(self, name: str, statement: Statement) -> Rows:
        """Run what changes nothing."""
        with translated("read", at=self._at, outcome="not applied"):
            async with self._connection.session() as session:
                found, refused = await _answer(session, statement)
                self._note(session, found)
            return found if refused is None else _raise(name, refused, "read")

    async def write(self, name: str, statement: Statement) -> Rows:
        """Run what may change something."""
        with translated("write", at=self._at, outcome="not applied"):
            async with self._connection.session() as session:
                # Asked before: a connection that is cut off does not know it any more.
                backend = backend_of(session)
                wal = self._wal.get(backend.server, -1)
                try:
                    found, refused = await _answer(session, statement)
                except DRIVER_ERRORS as error:
                    raise self._lost(error, backend, wal) from error
                self._note(session, found)
            return found if refused is None else _raise(name, refused, "write")

    def _note(self, session: Session, rows: Rows) -> None:
        """Note how far the log was when the last row of an answer was written."""
        wal = rows[-1].get("wal") if rows else None
        if wal is not None:
            server = backend_of(session).server
            self._wal[server] = max(self._wal.get(server, -1), wal)

    def _lost(self, error: Exception, backend: Backend, wal: int) -> LostReplyError:
        try:
            with translated("write", at=self._at):
                raise error
        except StoreError as found:
            return LostReplyError(found, backend, wal)

    async def after(self, name: str, lost: LostReplyError, statement: Statement) -> Rows:
        """Wait until the backend is gone, for a while on its own, and read then."""
        with translated("write", at=self._at):
            async with asyncio.timeout(self._connection.target.timeout):
                while True:
                    try:
                        if lost.backend.is_direct:
                            await self._gone(lost.backend)
                        return await self.read(name, statement)
                    except StoreError:
                        # It may be starting again; what bounds this is the timeout.
                        await SYSTEM.sleep(PAUSE)

    async def _gone(self, backend: Backend) -> None:
        begin = SYSTEM.monotonic()
        who = (backend.pid, backend.began)
        while state := await self.read("", Statement(WHO_IS_THERE, who)):
            is_over = SYSTEM.monotonic() - begin > PATIENCE or state[0]["state"] != "active"
            if is_over:
                # Whatever it has not read yet, it shall never run.
                await self.read("", Statement(END_IT, who))
            await SYSTEM.sleep(PAUSE)


class ConnectionExecutor:
    """Runs statements on one connection of asyncpg, in the transaction that is open there.

    The transaction belongs to the caller: who commits it also finds out what became of it.
    """

    def __init__(self, connection: Any, at: str = "") -> None:
        self._connection, self._at = connection, at

    @property
    def can_repeat(self) -> bool:
        """An error has ended the transaction."""
        return False

    async def read(self, name: str, statement: Statement) -> Rows:
        """Run what changes nothing."""
        return await self._run(name, statement, "read")

    async def write(self, name: str, statement: Statement) -> Rows:
        """Run what changes something if the transaction is committed."""
        return await self._run(name, statement, "write")

    async def after(self, name: str, lost: LostReplyError, statement: Statement) -> Rows:
        """Nothing is resolved here."""
        raise lost.error

    async def _run(self, name: str, statement: Statement, operation: str) -> Rows:
        # Nothing in it is applied before the COMMIT, which an error makes impossible.
        with translated(operation, at=self._at, outcome="not applied"):
            found, refused = await _answer(self._connection, statement)
            return found if refused is None else _raise(name, refused, operation)


async def _answer(session: Session, statement: Statement) -> tuple[Rows, Exception | None]:
    """Run a statement; a refusal of the server leaves the connection as good as it was."""
    try:
        return await session.fetch(statement.text, *statement.values), None
    except asyncpg.PostgresError as error:
        if is_answer(error):
            return (), error
        raise


def _raise(name: str, error: Exception, operation: str) -> Rows:
    found: RightstoreError | KeyTakenError | None = refusal(name, error, operation)
    if found is None:
        raise error
    raise found from error
