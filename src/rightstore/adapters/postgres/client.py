"""A pool of connections to PostgreSQL. It knows no table and no record."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from rightstore.adapters.postgres.errors import DRIVER_ERRORS, translated
from rightstore.clock import Clock
from rightstore.errors import UsageError
from rightstore.ports.connection import Pong, Target

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Session: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
if TYPE_CHECKING:
    _Driver: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:  # it is generic for the checkers only
    _Driver = asyncpg.Connection
WHO_SERVES = (
    "SELECT pg_backend_pid() AS pid, backend_start AS began, pg_postmaster_start_time() AS server "
    "FROM pg_stat_get_activity(pg_backend_pid())"
)
# What a connection raises whose server went away while it lay in the pool.
LOST = (
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    ConnectionError,
)


@dataclass(frozen=True, slots=True)
class Backend:
    """The process of the server that serves one connection: its id comes again, not its begin.

    `server` is when the server itself began: what it counts up it does not take back within a life.
    Not `is_direct`: a pooler in between tells another process than the one it asked just now, and
    may ask another one for the next statement.
    """

    pid: int
    began: datetime
    server: datetime
    is_direct: bool = True


class Wire(_Driver):
    """A connection of the driver that knows who serves it, so that it can be asked after.

    `is_ours` while this package has it, which leaves no settings; not when an application borrowed
    it from the pool itself.
    """

    __slots__ = ("backend", "is_ours")

    backend: Backend
    is_ours: bool

    def take(self) -> None:
        """Note that it is lent to ourselves."""
        self.is_ours = True


def connect(target: Target, clock: Clock) -> "PostgresConnection":
    """Make a connection without I/O; UsageError when the URL has no meaning."""
    target.parts("postgresql", "postgres")
    return PostgresConnection(target, clock)


class PostgresConnection:
    """PostgreSQL, connected."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self.target = target
        self._clock = clock
        self._pool: Pool | None = None

    @property
    def store(self) -> str:
        """The name of the store."""
        return "postgres"

    @property
    def pool(self) -> Pool:
        """The pool of the driver, for this room only."""
        if self._pool is None:
            raise UsageError("postgres is not open: await open() first")
        return self._pool

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Lend a connection of the pool; what an error or a cancellation breaks off is closed."""
        return _session(self.pool)

    async def open(self) -> None:
        """Connect as many times as the pool wants at least, and once at any rate."""
        if self._pool is not None:
            raise UsageError("postgres is open already: open it once, and close it before the next")
        pool = self._create()
        try:
            with translated("open", at=self.target.address, outcome="not applied"):
                async with asyncio.timeout(self.target.connect_timeout):
                    await pool
                    await self._ask(pool)
        except BaseException:
            pool.terminate()
            raise
        self._pool = pool

    async def ping(self) -> Pong:
        """Send one statement through the pool."""
        pool = self.pool
        with translated("ping", at=self.target.address, outcome="not applied"):
            async with asyncio.timeout(self.target.timeout):
                with suppress(*LOST):
                    return await self._ask(pool)
                # The driver puts the holder of a dead connection on top: this one connects anew.
                return await self._ask(pool)

    async def close(self) -> None:
        """End every session; a server that is silent is left without a goodbye."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with suppress(*DRIVER_ERRORS):  # the pool has dropped every socket then
            async with asyncio.timeout(self.target.timeout):
                await pool.close()

    def _create(self) -> Pool:
        pool: Pool = asyncpg.create_pool(  # type: ignore[call-overload]  # its hooks get a Wire
            self.target.url,
            min_size=self.target.pool_min,
            max_size=self.target.pool_max,
            connection_class=Wire,
            init=_introduce,
            reset=_keep,
            timeout=self.target.connect_timeout,
            command_timeout=self.target.timeout,
            server_settings={
                "application_name": "rightstore",
                # All names are qualified: nobody can put a function or operator in between.
                "search_path": "pg_catalog",
                "statement_timeout": str(round(self.target.timeout * 1000)),
            },
        )
        return pool

    async def _ask(self, pool: Pool) -> Pong:
        async with _session(pool) as session:
            before = self._clock.monotonic()
            await session.execute("SELECT 1")
            latency = self._clock.monotonic() - before
            return Pong(session.get_settings().server_version.split()[0], latency)


def backend_of(session: Session) -> Backend:
    """Return who serves a connection that was lent."""
    found: Backend = getattr(session, "backend")  # noqa: B009 - of the connection behind it
    return found


async def _introduce(wire: Wire) -> None:
    """Learn once who serves a connection."""
    wire.is_ours = False
    [row] = await wire.fetch(WHO_SERVES)
    is_direct = wire.get_server_pid() == row["pid"]
    wire.backend = Backend(row["pid"], row["began"], row["server"], is_direct)


async def _keep(wire: Wire) -> None:
    """Spend no round trip on a connection that comes back from us: we leave no settings."""
    if wire.is_ours:
        wire.is_ours = False
    else:
        await wire.execute(wire.get_reset_query())


@asynccontextmanager
async def _session(pool: Pool) -> AsyncIterator[Session]:
    session = await pool.acquire()
    getattr(session, "take")()  # noqa: B009 - of the connection behind it
    try:
        yield session
    except BaseException:
        # Interrupted in the middle it must not go back into the pool, which would wait for it.
        # One that was cut off has left the pool already, which must not hide why.
        with suppress(asyncpg.InterfaceError):
            session.terminate()
        raise
    finally:
        await pool.release(session)
