"""Port `relational` on PostgreSQL: one block, one transaction, and the truth about its COMMIT."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import cast

from sqlalchemy import QueuePool
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.errors import DRIVER_ERRORS
from rightstore.adapters.postgres.outcome import Outcomes, settled
from rightstore.adapters.postgres.row import PostgresRows, PostgresRowStore
from rightstore.adapters.postgres.session import Claim, Dial, Limits, make_engine
from rightstore.adapters.postgres.unit import PostgresUnit
from rightstore.adapters.postgres.verdict import judge, judge_orm
from rightstore.cancellation import Cancellable
from rightstore.clock import Clock
from rightstore.errors import ConstraintError, StoreError
from rightstore.table.track import Row, TrackedTable


class PostgresRelational:
    """The tables of one application. It is created without I/O and connects at first use."""

    def __init__(
        self,
        connection: PostgresConnection,
        namespace: str,
        clock: Clock,
        *,
        limits: Limits | None = None,
    ) -> None:
        target = connection.target
        found = limits or Limits(statement=target.statement_timeout)
        self._dial, self._clock = Dial(target, namespace, found), clock
        self._engine = make_engine(self._dial)
        self._reading = self._engine.execution_options(postgresql_readonly=True)
        self._outcomes = Outcomes(self._dial, clock)
        self._rows = PostgresRowStore(self._dial, clock)

    @property
    def connections(self) -> int:
        """How many connections it has now, for transactions and for rows."""
        pool = cast("QueuePool", self._engine.pool)
        return pool.checkedin() + pool.checkedout() + self._rows.connections

    def transaction(self, *, claim: str | None = None) -> AbstractAsyncContextManager[PostgresUnit]:
        """Begin with the first statement; commit at the end of the block, roll back on an error."""
        return self._transaction(claim)

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a session to read with: one snapshot, and every write in it is refused."""
        return self._read()

    def rows(self, tracked: TrackedTable[Row]) -> PostgresRows[Row]:
        """Return the rows of a tracked table by key, outside of transactions; no I/O."""
        return self._rows.rows(tracked)

    async def close(self) -> None:
        """Let the writes of rows end, and close every connection that no block holds."""
        await self._rows.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self, claim: str | None) -> AsyncIterator[PostgresUnit]:
        unit = PostgresUnit(self._engine, self._dial, self._clock, self._claim(claim))
        async with self._watched(unit):
            yield unit
            xid = await self._prepare(unit)
        await self._commit(unit, xid)

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncSession]:
        unit = PostgresUnit(self._reading, self._dial, self._clock)
        async with self._watched(unit):
            yield unit.session
        await self._abandon(unit, None)

    @asynccontextmanager
    async def _watched(self, unit: PostgresUnit) -> AsyncIterator[None]:
        """Run the block of a unit; when it fails nothing of it stays."""
        try:
            with self._translated():
                yield
        except BaseException as error:
            await self._abandon(unit, error)
            raise

    async def _prepare(self, unit: PostgresUnit) -> str | None:
        try:
            with Cancellable():
                return await unit.prepare()
        except DRIVER_ERRORS as error:
            raise judge(error, at=self._dial.target.address, is_over=True) or error from error

    async def _commit(self, unit: PostgresUnit, xid: str | None) -> None:
        try:
            with self._translated():
                await settled(unit.commit(), self._dial.target.timeout, unit.cut)
        except BaseException as error:
            await self._abandon(unit, error)
            if not isinstance(error, StoreError) or error.outcome == "not applied":
                raise
            if xid is not None:  # else nothing was written, and nothing can be lost
                await self._outcomes.resolve(xid, error)

    def _claim(self, claim: str | None) -> Claim | None:
        if claim is None:
            return None
        return Claim(f"rightstore {self._dial.namespace} {claim}", claim)

    async def _abandon(self, unit: PostgresUnit, error: BaseException | None) -> None:
        """Give the connection back, or close it where it may be in the middle of something."""
        is_interrupted = error is not None and not isinstance(error, Exception)
        if is_interrupted or isinstance(error, StoreError):
            unit.cut()
        # What the connection still says is of no consequence: it is rolled back or closed.
        with suppress(SQLAlchemyError, StoreError):
            await settled(unit.end(), self._dial.target.timeout, unit.cut)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Let no error of SQLAlchemy out, and no value that PostgreSQL quotes in its details."""
        try:
            yield
        except ConstraintError as error:
            raise error from None
        except SQLAlchemyError as error:
            ours = judge_orm(error, at=self._dial.target.address)
            if isinstance(ours, ConstraintError):
                raise ours from None
            raise ours from error
