"""Connections and the engine of SQLAlchemy for one application's schema. It commits nothing.

They are made as asyncpg makes them from the same URL, so sockets, several hosts and sslmode work.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction

from rightstore.adapters.postgres.ddl import quoted
from rightstore.adapters.postgres.dialect import URL
from rightstore.adapters.postgres.errors import translated
from rightstore.adapters.postgres.verdict import judge
from rightstore.errors import InProgressError, RightstoreError, UsageError
from rightstore.mutant import mutant
from rightstore.ports.connection import Target

if TYPE_CHECKING:
    Driver: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:  # it is generic for the checkers only
    Driver = asyncpg.Connection
CLAIM = text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0)) AS is_ours, "
    "pg_current_xact_id()::text AS xid"
)
ISOLATION = "READ COMMITTED" if mutant("read_committed") else "REPEATABLE READ"


OUTLASTS = "outlasts"
# Settings, roles, locks, temporary tables, cursors and channels of a session.
_LASTING = re.compile(
    r"""
    \A(?:\s|--[^\n]*|/\*.*?\*/)*  # comments
    (?:SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)|(?:RESET|DISCARD|LISTEN|PREPARE|LOAD|DO|CALL)\b)
    |\bset_config\s*\(|\bpg_(?:try_)?advisory_lock|\bpg_temp\b|\bWITH\s+HOLD\b
    |\b(?:CREATE|INTO)\s+(?:(?:LOCAL|GLOBAL)\s+)?TEMP(?:ORARY)?\b
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what may last, in seconds, before the server ends it."""

    statement: float = 2.0
    idle: float = 10.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that one open transaction has at a time, and how it is told to people."""

    name: str
    shown: str


class HonestConnection(Driver):
    """A connection on which a COMMIT that the server answers with ROLLBACK is an error."""

    __slots__ = ()

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str:
        """Carry out; asyncpg ends its transactions with this very text."""
        status = await super().execute(query, *args, timeout=timeout)
        if query == "COMMIT;" and status == "ROLLBACK":
            raise asyncpg.InFailedSQLTransactionError("the server rolled back")
        return status


@dataclass(frozen=True, slots=True)
class Dial:
    """How to reach the schema of one application."""

    target: Target
    namespace: str
    limits: Limits = Limits()

    async def connect(self) -> Driver:
        """Open a connection that finds the tables of the namespace first; StoreError if it fails.

        The server ends what takes too long; a server that says nothing at all is left after the
        timeout of the target.
        """
        target = self.target
        with translated("connect", at=target.address, outcome="not applied"):
            return await asyncpg.connect(
                target.url,
                connection_class=HonestConnection,
                timeout=target.connect_timeout,
                command_timeout=max(target.timeout, self.limits.statement + 1),
                server_settings={
                    "application_name": "rightstore",
                    "search_path": f"{quoted(self.namespace)}, public",
                    "statement_timeout": _milliseconds(self.limits.statement),
                    "idle_in_transaction_session_timeout": _milliseconds(self.limits.idle),
                },
            )


class UnitSession(AsyncSession):
    """A session whose transaction is ended by the block that it was opened for, never by itself."""

    def begin(self) -> NoReturn:
        """Refuse: it has begun; a part of it that may fail is `begin_nested`."""
        raise _ended_by_the_block("begin")

    async def commit(self) -> NoReturn:
        """Refuse: the end of the block commits, and knows what became of it."""
        raise _ended_by_the_block("commit")

    async def rollback(self) -> NoReturn:
        """Refuse: an error that leaves the block rolls back."""
        raise _ended_by_the_block("rollback")


class NotingSession(Session):
    """Notes in `info` on which connection it runs, so that it can be cut off without waiting."""


def make_engine(dial: Dial) -> AsyncEngine:
    """Return an engine that connects when it is used first, with a pool as large as the target's.

    A connection is not asked whether it lives before it is used: that would be a round trip. One
    whose socket is known to be closed is replaced, and one in the middle of something is closed
    when it comes back.
    """
    engine = create_async_engine(
        URL,
        async_creator=dial.connect,
        isolation_level=ISOLATION,
        pool_size=dial.target.pool_max,
        max_overflow=0,
        pool_timeout=dial.target.timeout,
        pool_use_lifo=True,
        hide_parameters=True,
    )

    def refuse(context: ExceptionContext) -> RightstoreError | None:
        # Without a statement it is COMMIT or ROLLBACK that failed.
        is_over = context.statement is not None
        return judge(context.original_exception, at=dial.target.address, is_over=is_over)

    event.listen(engine.sync_engine, "handle_error", refuse, retval=True)
    event.listen(engine.sync_engine, "checkout", _check)
    event.listen(engine.sync_engine, "checkin", _clean)
    event.listen(engine.sync_engine, "before_cursor_execute", _watch)
    return engine


def driver_of(session: AsyncSession) -> Driver | None:
    """Return the connection that the session runs on; None before it has one and afterwards."""
    held: tuple[Connection, Driver] | None = session.sync_session.info.get("held")
    # Once it is back in the pool it may be another's already.
    return None if held is None or held[0].closed else held[1]


def claim_of(session: AsyncSession) -> str | None:
    """Return the id of the transaction, if its claim has told it."""
    found: str | None = session.sync_session.info.get("xid")
    return found


@event.listens_for(NotingSession, "after_begin")
def _note(session: Session, _: SessionTransaction, connection: Connection) -> None:
    is_nested = "held" in session.info
    session.info["held"] = (connection, connection.connection.driver_connection)
    claim: Claim | None = session.info["claim"]
    if claim is None or is_nested:
        return
    is_ours, xid = connection.execute(CLAIM, {"name": claim.name}).one()
    if not is_ours:
        raise InProgressError(
            f"{claim.shown} is being done by another transaction now: ask again when it is over.",
            retry_after=1.0,
        )
    session.info["xid"] = xid


def _check(_: Any, record: Any, __: Any) -> None:
    if record.driver_connection.is_closed():
        raise DisconnectionError


def _watch(connection: Connection, _: Any, statement: str, *__: Any) -> None:
    if outlasts(statement):
        connection.info[OUTLASTS] = True


@lru_cache(maxsize=1_000)
def outlasts(statement: str) -> bool:
    """Tell whether a statement may leave something in its session when its transaction is over.

    Rather too often than too seldom: what is told of more than it does costs a new connection.
    """
    return _LASTING.search(statement) is not None


def _clean(connection: Any, record: Any) -> None:
    if connection is None:
        return
    # What one transaction has set is no business of the next one, which may be another user's.
    if record.info.pop(OUTLASTS, False) or record.driver_connection.is_in_transaction():
        record.driver_connection.terminate()


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _ended_by_the_block(word: str) -> UsageError:
    return UsageError(
        f"session.{word}(): the transaction begins and ends with its block: raise an error to "
        "roll it back, use begin_nested() for a part that may fail."
    )
