"""Several writes of several records as one transaction of the server: all of them or none.

What others write at the same time makes the server give a transaction up; it is begun again, with
the same write ids, until the time is up. Those of one process wait for each other instead.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

from bson.errors import InvalidDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError, WriteConcernError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.codec import CODEC, RAW
from rightstore.adapters.mongodb.document import ID, VERSION, WRITE_ID, Document, Layout
from rightstore.adapters.mongodb.errors import DRIVER_ERRORS, translated
from rightstore.adapters.mongodb.perform import Runner, is_about_key, perform
from rightstore.adapters.mongodb.sender import FORBIDDEN, Reply, forbidden, is_unsure, too_large
from rightstore.cancellation import Cancellable
from rightstore.clock import Clock
from rightstore.errors import DeadlineError, Outcome, StoreError, VersionConflictError
from rightstore.mutant import mutant
from rightstore.ports.records import Seen, Write

Writes = Sequence[tuple[Layout, Write]]
# How long a transaction that is given up may keep us waiting for the server to hear of it.
GOODBYE = 1.0
# Transactions on the same record queue up here; two records share a queue by chance only.
QUEUES = 1024
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.2
# WriteConflict, and what it does to the statements after it.
_CONFLICTS = frozenset({112, 251})

_UNKNOWN = "UnknownTransactionCommitResult"


class _AgainError(Exception):
    """The server gave the transaction up: nothing of it happened."""


class Transaction:
    """Does batches in one namespace."""

    def __init__(self, connection: MongodbConnection, namespace: str, clock: Clock) -> None:
        self._connection, self._namespace, self._clock = connection, namespace, clock
        self._queues = [asyncio.Lock() for _ in range(QUEUES)]

    async def write(self, writes: Writes) -> list[int]:
        """Do all or nothing; return the versions."""
        deadline = self._clock.monotonic() + self._connection.target.timeout
        async with AsyncExitStack() as turn:
            await self._wait(turn, writes)
            return await self._repeated(writes, deadline)

    async def _wait(self, turn: AsyncExitStack, writes: Writes) -> None:
        """Wait for those of this process that write the same records: they would only conflict."""
        places = {hash((layout.name, write.key)) % QUEUES for layout, write in writes}
        try:
            async with asyncio.timeout(self._connection.target.timeout):
                # In one order for all, so that no two wait for each other.
                for place in sorted(places):
                    await turn.enter_async_context(self._queues[place])
        except TimeoutError as error:
            raise _crowded() from error

    async def _repeated(self, writes: Writes, deadline: float) -> list[int]:
        pause = FIRST_PAUSE
        while True:
            try:
                with Cancellable():
                    return await self._attempt(writes)
            except _AgainError as error:
                if self._clock.monotonic() >= deadline:
                    raise _crowded() from error
            # Not all at the same moment again.
            await self._clock.sleep(pause * (0.5 + random.random()))  # noqa: S311 - no secret
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _attempt(self, writes: Writes) -> list[int]:
        async with self._connection.client.start_session(causal_consistency=False) as session:
            await session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
                read_preference=ReadPreference.PRIMARY,
                max_commit_time_ms=round(self._connection.target.timeout * 1000),
            )
            try:
                versions = await self._statements(writes, session)
            except BaseException:
                await self._give_up(session)
                raise
            await self._commit(writes, versions, session)
            return versions

    async def _statements(self, writes: Writes, session: AsyncClientSession) -> list[int]:
        database = self._connection.client.get_database(self._namespace)

        async def run(command: Document) -> Reply:
            try:
                return await database.command(command, codec_options=RAW, session=session)
            except InvalidDocument as error:
                raise too_large() from error
            except DRIVER_ERRORS as error:
                self._judge(error)
                raise

        async def update(layout: Layout, _: Write, command: Document) -> Document | None:
            return layout.opened((await run(command))["value"])

        async def insert(layout: Layout, document: Document) -> list[Reply]:
            reply = await run({"insert": layout.name, "documents": [document]})
            return list(reply.get("writeErrors", ()))

        runner = Runner(self._clock.now, update, insert, is_alone=False)
        done = [await perform(layout, write, runner) for layout, write in writes]
        return [one.version for one in done]

    def _judge(self, error: Exception) -> None:
        """Raise what an error before the commit means: nothing has happened."""
        if isinstance(error, DuplicateKeyError):
            if is_about_key(error.details or {}):
                raise _AgainError from error
            raise error
        if isinstance(error, OperationFailure) and error.code in FORBIDDEN:
            raise forbidden(error) from error
        if isinstance(error, OperationFailure) and _is_conflict(error):
            raise _AgainError from error
        with translated("write", at=self._connection.target.address, outcome="not applied"):
            raise error

    async def _give_up(self, session: AsyncClientSession) -> None:
        """Tell the server; if it does not hear it, it forgets the transaction by itself."""
        with suppress(*DRIVER_ERRORS):
            async with asyncio.timeout(GOODBYE):
                await session.abort_transaction()

    async def _commit(
        self, writes: Writes, versions: Sequence[int], session: AsyncClientSession
    ) -> None:
        """Commit, and ask for it again after a lost reply: the server does it once."""
        deadline = self._clock.monotonic() + 2 * self._connection.target.timeout
        while True:
            try:
                await session.commit_transaction()
                return
            except PyMongoError as error:
                if mutant("lost_reply_is_failure"):
                    raise self._unanswered("not applied") from error
                if isinstance(error, OperationFailure) and not may_be_done(error):
                    # The driver has asked twice already, and not every server remembers.
                    if await self._happened(writes, versions):
                        return
                    raise _AgainError from error
                if self._clock.monotonic() >= deadline:
                    raise self._unanswered("unknown") from error
            await self._clock.sleep(LONGEST_PAUSE)

    async def _happened(self, writes: Writes, versions: Sequence[int]) -> bool:
        """Tell whether a transaction that is over was committed, by its write ids."""
        with translated("write", at=self._connection.target.address):
            database = self._connection.client.get_database(
                self._namespace,
                codec_options=CODEC,
                read_preference=ReadPreference.PRIMARY,
                read_concern=ReadConcern("majority"),
            )
            for (layout, write), version in zip(writes, versions, strict=True):
                if isinstance(write, Seen) or not version:
                    continue
                where = {ID: {"$eq": layout.id_of(write.key)}}
                found = await database[layout.name].find_one(where) or {}
                if found.get(WRITE_ID) == write.write_id:
                    return True
                if found.get(VERSION, 0) <= version:
                    return False
        if all(isinstance(write, Seen) for _, write in writes):
            return False
        raise self._unanswered("unknown")

    def _unanswered(self, outcome: Outcome) -> StoreError:
        return DeadlineError(
            f"mongodb at {self._connection.target.address} gave no answer to a commit: read the "
            "records to see",
            store="mongodb",
            operation="write",
            outcome=outcome,
        )


def _crowded() -> VersionConflictError:
    return VersionConflictError(
        "Others write these records all the time: nothing was changed, try again."
    )


def may_be_done(error: OperationFailure) -> bool:
    """Tell whether a commit that failed may have been done: then it is asked for again."""
    is_unconfirmed = isinstance(error, WriteConcernError)
    return is_unconfirmed or is_unsure(error) or error.has_error_label(_UNKNOWN)


def _is_conflict(error: OperationFailure) -> bool:
    return error.code in _CONFLICTS or error.has_error_label("TransientTransactionError")
