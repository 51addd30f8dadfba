"""What a doctor asks of Redis: eviction, persistence, password, version, clock. It only reads.

Of a cluster it asks one node, and that one stands for all.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from redis.exceptions import NoPermissionError, ResponseError

from rightstore.adapters.redis.client import RedisConnection
from rightstore.adapters.redis.errors import translated
from rightstore.clock import Clock
from rightstore.ports.checkup import Finding, judge_clock, judge_version

ADVICE = "CONFIG SET maxmemory-policy allkeys-lru (volatile-lru keeps keys without an end)"


class RedisCheckup:
    """Asks Redis through an open connection."""

    def __init__(self, connection: RedisConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def examine(self) -> Sequence[Finding]:
        """Look at the server's settings and at our rights there, and judge each."""
        target = self._connection.target
        with translated("checkup", at=target.address, outcome="not applied"):
            async with asyncio.timeout(target.timeout):
                before = self._clock.now()
                seconds, microseconds = await self._connection.ask("TIME")
                after = self._clock.now()
                info = await self._connection.ask("INFO")
                settings = await self._settings()
        theirs = datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)
        return [
            judge_version(str(info["redis_version"]), 6, 2),
            self._role(info),
            self._memory(settings),
            *self._persistence(info),
            *self._access(),
            judge_clock(theirs, before, after),
        ]

    async def _settings(self) -> Mapping[str, str] | None:
        """Return what limits its memory, or None if it does not say: managed servers do not."""
        try:
            return dict(await self._connection.ask("CONFIG GET", "maxmemory*"))
        except (NoPermissionError, ResponseError):
            return None

    def _role(self, info: Mapping[str, Any]) -> Finding:
        if info["role"] == "master" or self._connection.is_cluster:
            return Finding("role", "ok", "primary")
        return Finding(
            "role",
            "error",
            "it is a replica, which takes no writes",
            "name its primary in REDIS_URL",
        )

    def _memory(self, settings: Mapping[str, str] | None) -> Finding:
        if settings is None:
            return Finding(
                "maxmemory-policy",
                "warning",
                "it does not let us see what it does when its memory is full",
                "allow this user the command CONFIG GET, or see there that it is allkeys-lru",
            )
        policy, limit = settings["maxmemory-policy"], int(settings["maxmemory"])
        if limit == 0:
            return Finding("maxmemory-policy", "ok", "the memory is not limited")
        message = f"{policy} at {limit // 2**20} MiB"
        if policy == "noeviction":
            return Finding(
                "maxmemory-policy", "warning", f"{message}: full, it refuses writes", ADVICE
            )
        return Finding("maxmemory-policy", "ok", message)

    def _persistence(self, info: Mapping[str, Any]) -> Iterator[Finding]:
        kept = "append-only file" if info.get("aof_enabled") else "snapshots, if any"
        yield Finding("persistence", "ok", kept)
        for name in ("rdb_last_bgsave_status", "aof_last_write_status"):
            if info.get(name, "ok") != "ok":
                yield Finding(
                    name,
                    "error",
                    "its last write to disk failed, and it may refuse writes since",
                    "look at its log, and at the disk below its folder",
                )

    def _access(self) -> Iterator[Finding]:
        target = self._connection.target
        parts = target.parts("redis", "rediss", "unix")
        if target.is_local or parts.password:
            yield Finding(
                "password", "ok", "set" if parts.password else "none, within this machine"
            )
        else:
            yield Finding(
                "password",
                "warning",
                "we need none: whoever reaches the server may read and change everything",
                "set requirepass there, and the password in REDIS_URL",
            )
        if target.is_local or parts.scheme == "rediss":
            yield Finding("encryption", "ok", "TLS" if parts.scheme == "rediss" else "none needed")
        else:
            yield Finding(
                "encryption",
                "warning",
                "the way to the server is not encrypted",
                "set up TLS there, and begin REDIS_URL with rediss://",
            )
