"""Connections of their own for rows by key: one that reads, some that commit what waits together.

Every row comes back with the number of its ask, since the order of RETURNING is promised nowhere.
"""

import copy
import random
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import asyncpg

from rightstore.adapters.postgres.errors import DRIVER_ERRORS
from rightstore.adapters.postgres.gather import Answer, Ask
from rightstore.adapters.postgres.outcome import Outcomes
from rightstore.adapters.postgres.session import ISOLATION, Dial, Driver
from rightstore.adapters.postgres.verdict import judge, was_refused
from rightstore.clock import Clock
from rightstore.errors import RightstoreError, StoreError, VersionConflictError

FAILURES: tuple[type[Exception], ...] = (*DRIVER_ERRORS, RightstoreError)
AT, XID = "rightstore_at", "rightstore_xid"
BEGIN = f"BEGIN ISOLATION LEVEL {ISOLATION}"
# How often a single row is tried again that another transaction was in the way of.
TRIES = 5


class Held:
    """A connection that is held, and made anew when it is gone."""

    def __init__(self, dial: Dial) -> None:
        self.dial = dial
        self._driver: Driver | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the next use will connect."""
        return self._driver is None or self._driver.is_closed()

    async def driver(self) -> Driver:
        """Return the connection, open as far as we know."""
        if self._driver is None or self._driver.is_closed():
            self._driver = await self.dial.connect()
        return self._driver

    def drop(self) -> None:
        """Close the connection at once."""
        if self._driver is not None:
            self._driver.terminate()
            self._driver = None

    async def close(self) -> None:
        """Say goodbye, if anybody listens."""
        driver, self._driver = self._driver, None
        if driver is None:
            return
        try:
            await driver.close(timeout=self.dial.target.timeout)
        except DRIVER_ERRORS:
            driver.terminate()

    def judge(self, error: Exception, *, is_over: bool = True) -> RightstoreError:
        """Return ours for an error of the driver."""
        if isinstance(error, RightstoreError):
            return error
        found = judge(error, at=self.dial.target.address, is_over=is_over)
        assert found is not None  # noqa: S101 - only DRIVER_ERRORS come here
        return found

    async def run(self, batch: list[Ask]) -> None:
        """Answer them together; halve what is refused until what is to blame is alone."""
        # In one order everywhere: two batches then wait for each other, and do not block.
        batch.sort(key=_order)
        error = await self._together(batch)
        if error is None:
            return
        if len(batch) == 1:
            await self._alone(batch[0], error)
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            await self.run(half)

    async def _together(self, batch: list[Ask]) -> Exception | None:
        """Answer all of them, or return why the server refused."""
        raise NotImplementedError

    async def _alone(self, ask: Ask, error: Exception) -> None:
        """Answer the one that was refused."""
        _fail([ask], self.judge(error), error)


class Reader(Held):
    """A lane of reads: each sees what was committed when it runs."""

    async def _together(self, batch: list[Ask]) -> Exception | None:
        was_idle = not self.is_fresh
        for is_last in (not was_idle, True):
            try:
                answers = await _send(await self.driver(), batch)
            except FAILURES as error:
                if _is_refusal(error):
                    return error
                self.drop()
                if is_last:
                    _fail(batch, self.judge(error), error)
                    return None
            else:
                _give(batch, answers)
                return None
        return None


class Writer(Held):
    """A lane of writes: a batch is one transaction, unless something in it is refused."""

    def __init__(self, dial: Dial, clock: Clock) -> None:
        super().__init__(dial)
        self._clock = clock
        self._outcomes = Outcomes(dial, clock)

    async def _alone(self, ask: Ask, error: Exception) -> None:
        """Try again what only another transaction was in the way of."""
        for attempt in range(1, TRIES):
            if not isinstance(self.judge(error), VersionConflictError):
                break
            await self._clock.sleep(random.uniform(0.0, 0.005) * attempt)  # noqa: S311 - no secret
            again = await self._together([ask])
            if again is None:
                return
            error = again
        _fail([ask], self.judge(error), error)

    async def _together(self, batch: list[Ask]) -> Exception | None:
        """Commit them in one transaction, or return why the server refused all of it."""
        try:
            driver = await self._begun()
            answers = await _send(driver, batch)
        except FAILURES as error:
            if _is_refusal(error) and await self._rolled_back():
                return error
            self.drop()
            _fail(batch, self.judge(error), error)
            return None
        try:
            await driver.execute("COMMIT;")
        except DRIVER_ERRORS as error:
            if was_refused(error):
                return error
            self.drop()
            await self._resolve(batch, answers, error)
        else:
            _give(batch, answers)
        return None

    async def _begun(self) -> Driver:
        """Begin; a connection that went away while it was idle is replaced."""
        was_idle = not self.is_fresh
        driver = await self.driver()
        try:
            await driver.execute(BEGIN)
        except DRIVER_ERRORS:
            if not was_idle:
                raise
            self.drop()
            driver = await self.driver()
            await driver.execute(BEGIN)
        return driver

    async def _rolled_back(self) -> bool:
        try:
            await (await self.driver()).execute("ROLLBACK")
        except FAILURES:
            return False
        return True

    async def _resolve(self, batch: list[Ask], answers: list[Answer], error: Exception) -> None:
        """Answer them by what became of their transaction; without an id it wrote nothing."""
        failure = self.judge(error, is_over=False)
        xid = next((answer[XID] for answer in answers if answer is not None), None)
        try:
            if xid is not None and isinstance(failure, StoreError):
                await self._outcomes.resolve(xid, failure)
        except StoreError as resolved:
            _fail(batch, resolved, error)
        else:
            _give(batch, answers)


def _is_refusal(error: Exception) -> bool:
    """Tell whether one of the statements is to blame, and not the way to the server."""
    return was_refused(error) or isinstance(error, asyncpg.DataError)


async def _send(driver: Driver, batch: list[Ask]) -> list[Answer]:
    """Run them, those of one statement in one round trip; return their rows in the order asked."""
    answers: list[Answer] = [None] * len(batch)
    for statement, asks in _by_statement(batch):
        rows = await _rows(driver, statement, [(*ask.values, at) for at, ask in asks])
        for row in rows:
            answers[row[AT]] = row
    return answers


async def _rows(driver: Driver, statement: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
    # A single one is cheaper by itself.
    if len(arguments) == 1:
        return await driver.fetch(statement, *arguments[0])
    return await driver.fetchmany(statement, arguments)


def _by_statement(batch: list[Ask]) -> Iterator[tuple[str, list[tuple[int, Ask]]]]:
    numbered = list(enumerate(batch))
    for statement, asks in groupby(numbered, key=lambda pair: pair[1].statement):
        yield statement, list(asks)


def _order(ask: Ask) -> tuple[str, str]:
    return (ask.statement, repr(ask.values))


def _give(batch: list[Ask], answers: list[Any]) -> None:
    for ask, answer in zip(batch, answers, strict=True):
        ask.give(answer)


def _fail(batch: list[Ask], error: RightstoreError, cause: Exception) -> None:
    """Give each its own copy: one raised in several tasks would gather their tracebacks."""
    for ask in batch:
        own = copy.copy(error)
        # What refuses a value may quote it.
        own.__cause__ = cause if isinstance(error, StoreError) and error is not cause else None
        ask.fail(own)
