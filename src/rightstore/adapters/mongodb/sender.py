"""Sends a write to the server so that it is done once, however often it is sent.

A write carries the number of a session of ours: a server that got it before answers as it did then.
So after a lost reply the same write is sent again, until an answer comes or the time is up. The
driver's own retry is off: it would lose that number. A server that is no replica set knows no such
numbers; there a lost reply stays "unknown".
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from bson import Int64
from bson.errors import InvalidDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import (
    DuplicateKeyError,
    InvalidOperation,
    OperationFailure,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from rightstore.adapters.mongodb.client import BUILD_INFO, EMBEDDED, Client, MongodbConnection
from rightstore.adapters.mongodb.codec import RAW
from rightstore.adapters.mongodb.errors import DRIVER_ERRORS, translated
from rightstore.cancellation import Cancellable
from rightstore.clock import Clock
from rightstore.errors import ConstraintError, DeadlineError, Outcome
from rightstore.mutant import mutant

Command = dict[str, Any]
Reply = Mapping[str, Any]
# The server does not say whether it was done: HostUnreachable, HostNotFound, MaxTimeMSExpired,
# NetworkTimeout, ShutdownInProgress, PrimarySteppedDown, ExceededTimeLimit, SocketException,
# NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange, NotPrimaryNoSecondary-
# Ok, NotPrimaryOrSecondary.
UNSURE = frozenset({6, 7, 50, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
VALIDATION_FAILED = 121
# It, and three of "the document is too large".
FORBIDDEN = frozenset({VALIDATION_FAILED, 10334, 17419, 17420})
# Before a write is sent again.
PAUSE = 0.05
# The embedded server knows a write by its number only once it is done: of two copies at the same
# time it would do both. There the first gets all of its time to end, and at least this.
LONG_PAUSE = 0.4


@dataclass(slots=True)
class Lane:
    """A session of the server for one write at a time, and the number of its last one."""

    client: Client
    session: AsyncClientSession
    number: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to a write; `again` if it was sent more than once."""

    reply: Reply
    lane: Lane | None
    again: bool


class Sender:
    """Sends the writes of one namespace."""

    def __init__(
        self, connection: MongodbConnection, namespace: str, clock: Clock, *, is_numbered: bool
    ) -> None:
        self._connection, self._namespace, self._clock = connection, namespace, clock
        self._is_numbered = is_numbered
        self._lanes: list[Lane] = []
        # Asked when it first matters.
        self._knows_late: bool | None = None

    async def send(self, command: Command, operation: str) -> Sent:
        """Send a write until it is answered; DuplicateKeyError is the caller's."""
        lane = self._take() if self._is_numbered else None
        if lane:
            lane.number += 1
        again = False
        with self._translated(operation):
            deadline = self._clock.monotonic() + 2 * self._connection.target.timeout
            while True:
                since = self._clock.monotonic()
                try:
                    reply = await self._ask(self._written(command, lane), lane)
                    break
                except DRIVER_ERRORS as error:
                    if not self._may_resend(error, lane, deadline, again=again):
                        if lane and not again and _is_answered(error):
                            self._lanes.append(lane)
                        self._raise(error, operation, again=again)
                    is_over = isinstance(error, OperationFailure)
                    again = True
                await self._rest(since, is_over=is_over)
        # After a lost reply or a cancellation a lane is not used again.
        if lane and not again:
            self._lanes.append(lane)
        self._check_concern(reply, operation)
        return Sent(reply, lane, again)

    async def fence(self, sent: Sent, collection: str) -> None:
        """Make sure that what was sent before on this lane is never done later.

        A server refuses a number below one that it has seen. Nothing is written.
        """
        if sent.lane:
            sent.lane.number += 1
            nothing = {"q": {"_id": {"$in": []}}, "u": {"$set": {"_w": ""}}}
            command = {"update": collection, "updates": [nothing]}
            with self._translated("fence"):
                try:
                    await self._ask(self._written(command, sent.lane), sent.lane)
                except DRIVER_ERRORS as error:
                    self._raise(error, "fence", again=True)

    async def _rest(self, since: float, *, is_over: bool) -> None:
        """Wait before the next copy of a write, until the one sent at `since` should be over."""
        rest = PAUSE
        if not is_over and await self._is_late():
            ends = since + self._connection.target.timeout
            rest = max(LONG_PAUSE, ends - self._clock.monotonic())
        await self._clock.sleep(rest)

    async def _is_late(self) -> bool:
        """Tell whether the server may know a write by its number only once it is done."""
        if self._knows_late is None:
            try:
                built = await self._connection.client.admin.command(dict(BUILD_INFO))
            except DRIVER_ERRORS:
                return True
            self._knows_late = EMBEDDED in built
        return self._knows_late

    def _take(self) -> Lane:
        client = self._connection.client
        while self._lanes:
            lane = self._lanes.pop()
            if lane.client is client:
                return lane
        return Lane(client, client.start_session(causal_consistency=False))

    def _written(self, command: Command, lane: Lane | None) -> Command:
        patience = round(self._connection.target.timeout * 1000)
        concern = {"w": "majority", "j": True, "wtimeout": patience}
        complete = {**command, "maxTimeMS": patience, "writeConcern": concern}
        if lane:
            lane.number += mutant("resent_as_another")
            complete["txnNumber"] = Int64(lane.number)
        return complete

    async def _ask(self, command: Command, lane: Lane | None) -> Reply:
        database = self._connection.client.get_database(self._namespace)
        session = lane.session if lane else None
        return await database.command(command, codec_options=RAW, session=session)

    def _may_resend(
        self, error: Exception, lane: Lane | None, deadline: float, *, again: bool
    ) -> bool:
        is_lost = is_unsure(error) and (again or not _was_never_sent(error))
        if mutant("lost_reply_is_failure"):
            return False
        return is_lost and lane is not None and self._clock.monotonic() < deadline

    def _raise(self, error: Exception, operation: str, *, again: bool) -> NoReturn:
        is_open = again or (is_unsure(error) and not _was_never_sent(error))
        outcome: Outcome = "unknown" if is_open else "not applied"
        if mutant("lost_reply_is_failure"):
            outcome = "not applied"
        if isinstance(error, DuplicateKeyError):
            raise error
        if isinstance(error, OperationFailure) and error.code in FORBIDDEN:
            raise forbidden(error) from error
        with translated(operation, at=self._connection.target.address, outcome=outcome):
            raise error

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        try:
            with Cancellable():
                yield
        except InvalidDocument as error:
            raise too_large() from error

    def _check_concern(self, reply: Reply, operation: str) -> None:
        if "writeConcernError" in reply:
            raise DeadlineError(
                f"mongodb at {self._connection.target.address} did the write, but too few members "
                "of the replica set confirm it in time: look at them",
                store="mongodb",
                operation=operation,
                outcome="unknown",
            )


def is_unsure(error: BaseException) -> bool:
    """Tell whether an error leaves it open what the server did."""
    if isinstance(error, OperationFailure):
        return error.code in UNSURE or error.has_error_label("RetryableWriteError")
    return not isinstance(error, InvalidOperation)


def _is_answered(error: BaseException) -> bool:
    """Tell whether the server has refused the write for good."""
    return isinstance(error, OperationFailure) and not is_unsure(error)


def _was_never_sent(error: BaseException) -> bool:
    """Tell whether no byte of the write can have left: there was no connection for it."""
    if isinstance(error, ServerSelectionTimeoutError | WaitQueueTimeoutError):
        return True
    return isinstance(error.__cause__, ConnectionRefusedError)


def forbidden(error: OperationFailure) -> ConstraintError:
    """Return the error of what the server keeps in no document of this collection."""
    if error.code != VALIDATION_FAILED:
        return too_large()
    return ConstraintError("mongodb: a validator of the collection forbids this value.")


def too_large() -> ConstraintError:
    """Return the error of a document that no server takes."""
    return ConstraintError("mongodb keeps up to 16 MB in a record: store large content elsewhere.")
