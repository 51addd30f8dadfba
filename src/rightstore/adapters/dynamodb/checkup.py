"""What a doctor asks of DynamoDB: rights, encryption, clock. It only reads."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from rightstore.adapters.dynamodb.client import DynamodbConnection
from rightstore.adapters.dynamodb.errors import code_of, translated
from rightstore.clock import Clock
from rightstore.ports.checkup import Finding, judge_clock

DENIED = "AccessDeniedException"
# The date of an answer has whole seconds.
GRAIN = timedelta(seconds=1)


class DynamodbCheckup:
    """Asks DynamoDB through an open connection."""

    def __init__(self, connection: DynamodbConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def examine(self) -> Sequence[Finding]:
        """Look at our rights there, and judge each."""
        target = self._connection.target
        with translated("checkup", at=target.address, outcome="not applied"):
            async with asyncio.timeout(target.timeout):
                before = self._clock.now()
                answer = await self._connection.client.list_tables()
                after = self._clock.now()
                limits = await self._limits()
        tables = len(answer["TableNames"])
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return [
            Finding("tables", "ok", f"may list them: {tables}"),
            limits,
            self._encryption(),
            self._clocks(headers.get("date"), before, after),
        ]

    async def _limits(self) -> Finding:
        try:
            limits = await self._connection.client.describe_limits()
        except ClientError as error:
            if code_of(error) != DENIED:
                raise
            return Finding(
                "limits",
                "warning",
                "this key may not see the limits of the account",
                "allow it the action dynamodb:DescribeLimits",
            )
        writes = limits.get("TableMaxWriteCapacityUnits")
        return Finding("limits", "ok", f"{writes} write units a table at most")

    def _clocks(self, date: str | None, before: datetime, after: datetime) -> Finding:
        if date is None:
            return Finding(
                "clock",
                "warning",
                "the service does not tell its time of day",
                "let this machine follow a time server (NTP): requests are signed with the time",
            )
        return judge_clock(parsedate_to_datetime(date), before - GRAIN, after)

    def _encryption(self) -> Finding:
        target = self._connection.target
        if target.parts("http", "https").scheme == "https":
            return Finding("encryption", "ok", "TLS")
        if target.is_local:
            return Finding("encryption", "ok", "none, within this machine")
        return Finding(
            "encryption",
            "warning",
            "the way to the service is not encrypted",
            "begin DYNAMODB_URL with https://",
        )
