"""What a doctor asks of MongoDB: change streams, authorization, version, clock. It only reads."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from pymongo.errors import OperationFailure

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.errors import translated
from rightstore.clock import Clock
from rightstore.ports.checkup import Finding, judge_clock, judge_version

UNAUTHORIZED = 13


class MongodbCheckup:
    """Asks MongoDB through an open connection."""

    def __init__(self, connection: MongodbConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def examine(self) -> Sequence[Finding]:
        """Look at the server's settings and at our rights there, and judge each."""
        target = self._connection.target
        with translated("checkup", at=target.address, outcome="not applied"):
            async with asyncio.timeout(target.timeout):
                admin = self._connection.client.admin
                before = self._clock.now()
                hello = await admin.command("hello", codec_options=admin.codec_options)
                clock = judge_clock(hello["localTime"], before, self._clock.now())
                built = await admin.command("buildInfo")
                return [
                    *self._server(built),
                    await self._changes(hello),
                    await self._authorization(),
                    self._encryption(),
                    clock,
                ]

    def _server(self, built: Mapping[str, Any]) -> Iterator[Finding]:
        # Pre-images of change streams came with 6.0.
        yield judge_version(built["version"], 6, 0)
        embedded = built.get("secantusVersion")
        if embedded:
            yield Finding("server", "ok", f"SecantusDB {embedded}, not MongoDB: no text index")

    async def _changes(self, hello: Mapping[str, Any]) -> Finding:
        """Watch the cluster for a moment: only a replica set or a sharded one can be watched."""
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            return Finding(
                "change streams",
                "error",
                "it is not a replica set, so nothing can follow its changes",
                "start it with --replSet, and run rs.initiate() once: one member is enough",
            )
        try:
            async with await self._connection.client.watch(max_await_time_ms=1):
                return Finding("change streams", "ok", "every database can be watched")
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise
        return Finding(
            "change streams",
            "error",
            "this user may not watch every database",
            "grant it the role readWriteAnyDatabase on admin",
        )

    async def _authorization(self) -> Finding:
        try:
            told = await self._connection.client.admin.command("getCmdLineOpts")
        except OperationFailure:
            return Finding(
                "authorization",
                "warning",
                "it does not let us see whether everybody is let in",
                "grant this user the role clusterMonitor on admin",
            )
        security = told["parsed"].get("security", {})
        if security.get("authorization") == "enabled" or "keyFile" in security:
            return Finding("authorization", "ok", "enabled")
        return Finding(
            "authorization",
            "warning" if self._connection.target.is_local else "error",
            "is off: whoever reaches the server may read and change everything",
            "create users, start it with --auth, and put one into MONGODB_URL",
        )

    def _encryption(self) -> Finding:
        target = self._connection.target
        parts = target.parts("mongodb", "mongodb+srv")
        query = dict(parse_qsl(parts.query))
        if "true" in (query.get("tls"), query.get("ssl")) or parts.scheme == "mongodb+srv":
            return Finding("encryption", "ok", "TLS")
        if target.is_local:
            return Finding("encryption", "ok", "none, within this machine")
        return Finding(
            "encryption",
            "warning",
            "the way to the server is not encrypted",
            "set up TLS there, and tls=true in MONGODB_URL",
        )
