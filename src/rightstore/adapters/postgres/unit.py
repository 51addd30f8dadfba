"""One open transaction: the session, the connection under it, and its id. It judges no error."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from rightstore.adapters.postgres.executor import ConnectionExecutor, LostReplyError, Rows
from rightstore.adapters.postgres.outcome import XID
from rightstore.adapters.postgres.records import PostgresRecords
from rightstore.adapters.postgres.session import (
    Claim,
    Dial,
    Driver,
    NotingSession,
    UnitSession,
    claim_of,
    driver_of,
)
from rightstore.adapters.postgres.table import Statement, Table
from rightstore.clock import Clock
from rightstore.model.declaration import Declaration
from rightstore.ports.records import Records

# BEGIN is sent with the first statement of the session; this one is worth its round trip.
BEGIN = text("SELECT pg_current_xact_id()::text")


class UnitExecutor:
    """Runs statements about records in the transaction of a unit, after what its session holds."""

    can_repeat = False

    def __init__(self, unit: "PostgresUnit") -> None:
        self._unit = unit

    async def read(self, name: str, statement: Statement) -> Rows:
        """Run what changes nothing."""
        async with self._unit.turn:
            return await (await self._ready()).read(name, statement)

    async def write(self, name: str, statement: Statement) -> Rows:
        """Run what changes something if the transaction is committed."""
        async with self._unit.turn:
            return await (await self._ready()).write(name, statement)

    async def after(self, name: str, lost: LostReplyError, statement: Statement) -> Rows:
        """Nothing is resolved here: without a COMMIT nothing is applied."""
        raise lost.error

    def learn(self, wal: int) -> None:
        """Nothing is resolved here."""

    async def _ready(self) -> ConnectionExecutor:
        return ConnectionExecutor(await self._unit.begun(), self._unit.dial.target.address)


class PostgresUnit:
    """Everything in it happens, or nothing. The connection is taken with the first statement."""

    def __init__(
        self, engine: AsyncEngine, dial: Dial, clock: Clock, claim: Claim | None = None
    ) -> None:
        self.dial, self._clock = dial, clock
        self.session: AsyncSession = UnitSession(
            engine,
            sync_session_class=NotingSession,
            expire_on_commit=False,
            close_resets_only=False,
            info={"claim": claim},
        )
        self._xid: str | None = None
        # One connection takes one statement at a time; a function may ask for several at once.
        self.turn = asyncio.Lock()

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity, inside the transaction."""
        table = Table(declaration, self.dial.namespace, self._clock)
        return PostgresRecords(table, UnitExecutor(self))

    async def prepare(self) -> str | None:
        """Send what waits in the session; return the transaction's id, None if it wrote nothing."""
        await self.session.flush()
        driver = driver_of(self.session)
        known = self._xid or claim_of(self.session)
        if known or driver is None or not driver.is_in_transaction():
            return known
        found: str | None = await driver.fetchval(XID)
        return found

    async def commit(self) -> None:
        """Commit and give the connection back."""
        await AsyncSession.commit(self.session)
        await self.session.close()

    async def end(self) -> None:
        """Roll back what is open, and give the connection back."""
        driver = driver_of(self.session)
        if driver is not None and driver.is_closed():
            await self.session.invalidate()
        else:
            await self.session.close()

    def cut(self) -> None:
        """Close the connection at once; whatever waits for it ends."""
        driver = driver_of(self.session)
        if driver is not None:
            driver.terminate()

    async def begun(self) -> Driver:
        """Return the connection, in the transaction, with all that waits in the session sent."""
        await self.session.flush()
        await self.session.connection()
        driver = driver_of(self.session)
        if driver is None or not driver.is_in_transaction():
            self._xid = await self.session.scalar(BEGIN)
            driver = driver_of(self.session)
        assert driver is not None  # noqa: S101 - it has just answered
        return driver
