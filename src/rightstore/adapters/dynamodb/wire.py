"""Requests to DynamoDB: deadlines, patience where it asks for it, and lost replies resolved.

It knows no meaning of a write but its write id and the version that it was made from.
"""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from rightstore.adapters.dynamodb.client import DynamodbConnection
from rightstore.adapters.dynamodb.errors import code_of, is_without_effect, translated
from rightstore.adapters.dynamodb.item import VERSION, WRITE
from rightstore.adapters.dynamodb.layout import Keys
from rightstore.adapters.dynamodb.value import Attribute
from rightstore.clock import Clock
from rightstore.errors import (
    RejectedError,
    StoreError,
    ThrottledError,
    UnavailableError,
    VersionConflictError,
)
from rightstore.mutant import mutant

ATTEMPTS, LOOKS = 50, 3
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.2
BUSY = frozenset({"TransactionConflictException", "TransactionInProgressException"})
Item = Mapping[str, Attribute]


class ConditionFailedError(Exception):
    """The condition did not hold of this item; None: there was none."""

    def __init__(self, item: Item | None) -> None:
        super().__init__()
        self.item = item


class CanceledError(Exception):
    """A transaction was canceled: the code and the item of each write, in their order."""

    def __init__(self, reasons: list[tuple[str, Item | None]]) -> None:
        super().__init__()
        self.reasons = reasons

    @property
    def is_final(self) -> bool:
        """Whether a condition did not hold; else others were in the way just then."""
        return any(code == "ConditionalCheckFailed" for code, _ in self.reasons)


class InvalidError(Exception):
    """DynamoDB cannot do this to what is there now, or not at all."""


class BusyError(Exception):
    """A transaction has the item."""


@dataclass(frozen=True, slots=True)
class Request:
    """A conditional write of one item. `base` is the version it is bound to, None when to none."""

    operation: str
    key: Keys = field(repr=False)
    write_id: str
    arguments: dict[str, Any] = field(repr=False)
    base: int | None = None


class Wire:
    """Sends requests."""

    def __init__(self, connection: DynamodbConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def read(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Send a request that changes nothing."""
        try:
            with suppress(UnavailableError):
                return await self._patient(operation, arguments, outcome="not applied")
            # That connection may have been kept alive to a server that is gone.
            return await self._patient(operation, arguments, outcome="not applied")
        except InvalidError as error:
            raise RejectedError(
                "dynamodb finds a request of ours wrong: its table is not as declared: run "
                "`rightstore schema check`",
                store="dynamodb",
                operation=operation,
                outcome="not applied",
            ) from error

    async def send(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Send a request whose lost reply is the caller's to resolve."""
        return await self._patient(operation, arguments)

    async def write(self, request: Request) -> Item:
        """Write one item; return what it says of the item then.

        ConditionFailedError: the write was refused, and will be when it arrives again.
        """
        try:
            return await self._ours(request)
        except StoreError as lost:
            if lost.outcome == "not applied":
                raise
            if mutant("lost_reply_is_failure"):
                lost.outcome = "not applied"
                raise
            return await self._resolved(request, lost)

    async def pause(self, attempt: int) -> None:
        """Wait a little, longer with each attempt, and never as long as others do."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 10))
        await self._clock.sleep(random.uniform(0, longest))  # noqa: S311 - no secret

    async def _resolved(self, request: Request, lost: StoreError) -> Item:
        """Find out what became of a write whose reply was lost.

        It is looked for by its write id. One that is bound to a version is sent again while the
        record still has that version: of any number of copies one is done at most. Another that is
        not there may have been overwritten, or may still come.
        """
        for attempt in range(LOOKS):
            try:
                found = await self._again(request, lost)
            except (StoreError, VersionConflictError) as error:
                if error is lost:
                    raise
                found = None
            if found is not None:
                return found
            await self.pause(attempt + 4)
        raise lost

    async def _again(self, request: Request, lost: StoreError) -> Item | None:
        item = await self._look(request)
        if item and _is_of(item, request.write_id):
            return item
        if request.base is None:
            return None
        version = int(item[VERSION]["N"]) if item else 0
        if version == request.base + 1:
            # Another write came after that version, so ours never will.
            raise ConditionFailedError(item)
        if version != request.base:
            # Others wrote since: it cannot be told whether ours was among them.
            raise lost
        try:
            return await self._ours(request)
        except ConditionFailedError as failed:
            now = int(failed.item[VERSION]["N"]) if failed.item else 0
            if now - request.base in (0, 1):
                raise
            raise lost from None

    async def _look(self, request: Request) -> Item | None:
        answer = await self.read(
            "get_item",
            TableName=request.arguments["TableName"],
            Key=request.key,
            ConsistentRead=True,
        )
        item: Item | None = answer.get("Item")
        return item

    async def _ours(self, request: Request) -> Item:
        arguments = request.arguments | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        try:
            answer = await self._patient(request.operation, arguments)
        except ConditionFailedError as failed:
            if failed.item and _is_of(failed.item, request.write_id):
                # An earlier copy of this very write came through.
                return failed.item
            raise
        found: Item = answer.get("Attributes", {})
        return found

    async def _patient(
        self, operation: str, arguments: dict[str, Any], *, outcome: Any = "unknown"
    ) -> dict[str, Any]:
        for attempt in range(ATTEMPTS):
            try:
                return await self._once(operation, arguments, outcome)
            except BusyError:
                await self.pause(attempt)
            except ThrottledError:
                if attempt >= LOOKS:
                    raise
                await self.pause(attempt + 4)
        raise VersionConflictError(
            "dynamodb: transactions of others had the record all the time: try again later."
        )

    async def _once(
        self, operation: str, arguments: dict[str, Any], outcome: Any
    ) -> dict[str, Any]:
        target = self._connection.target
        try:
            with translated(operation, at=target.address, outcome=outcome):
                async with asyncio.timeout(target.timeout):
                    return await self._asked(operation, arguments)
        except StoreError as error:
            if is_without_effect(error.__cause__):
                error.outcome = "not applied"
            raise

    async def _asked(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await getattr(self._connection.client, operation)(**arguments)
        except ClientError as error:
            _raise_known(error)
            raise
        return answer


def _raise_known(error: ClientError) -> None:
    """Raise what a refusal means, where that is no fault."""
    code = code_of(error)
    response: Any = error.response
    if code == "ConditionalCheckFailedException":
        raise ConditionFailedError(response.get("Item")) from None
    if code == "TransactionCanceledException":
        reasons = response.get("CancellationReasons", [])
        raise CanceledError([(str(it.get("Code")), it.get("Item")) for it in reasons]) from None
    if code == "ValidationException":
        raise InvalidError from error
    if code in BUSY:
        raise BusyError from None


def _is_of(item: Item, write_id: str) -> bool:
    return item.get(WRITE) == {"S": write_id}
