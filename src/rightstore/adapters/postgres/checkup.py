"""What a doctor asks of PostgreSQL: durability, room for our pool, rights, clock. It only reads."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.errors import translated
from rightstore.clock import Clock
from rightstore.ports.checkup import Finding, judge_clock, judge_version

FACTS = """
SELECT current_setting('server_version') AS version,
       clock_timestamp() AS now,
       current_setting('server_encoding') AS encoding,
       has_database_privilege(current_database(), 'CREATE') AS may_create,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
       COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS is_encrypted
"""
SETTINGS = "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])"
# What each must be, and what is lost while it is off.
SAFE = {
    "fsync": "a crash of the machine can destroy the whole database",
    "synchronous_commit": "a crash loses commits that were acknowledged",
    "full_page_writes": "a crash in the middle of a page write corrupts it",
}
# Beside a pool for records and one for tables: three for rows by key, two to say whether the server
# serves, one each to ask what became of a lost reply and to change the structure.
FEW = 7
NUMBERS = ("max_connections", "superuser_reserved_connections")


class PostgresCheckup:
    """Asks PostgreSQL through an open connection."""

    def __init__(self, connection: PostgresConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def examine(self) -> Sequence[Finding]:
        """Look at the server's settings and at our rights there, and judge each."""
        target = self._connection.target
        names = [*SAFE, *NUMBERS, "wal_level"]
        with translated("checkup", at=target.address, outcome="not applied"):
            async with asyncio.timeout(target.timeout), self._connection.session() as session:
                before = self._clock.now()
                facts = dict((await session.fetch(FACTS))[0])
                clock = judge_clock(facts["now"], before, self._clock.now())
                settings = {
                    row["name"]: row["setting"] for row in await session.fetch(SETTINGS, names)
                }
        return [
            judge_version(facts["version"].split()[0], 14),
            *self._durability(settings),
            self._room(settings),
            *self._rights(facts),
            self._encoding(facts),
            self._encryption(facts),
            clock,
        ]

    def _durability(self, settings: Mapping[str, str]) -> Iterator[Finding]:
        for name, loss in SAFE.items():
            if settings[name] == "off":
                remedy = f"set {name} = on in postgresql.conf, and look who sets it for this user"
                yield Finding(name, "error", f"is off: {loss}", remedy)
            else:
                yield Finding(name, "ok", settings[name])
        if settings["wal_level"] == "minimal":
            yield Finding(
                "wal_level",
                "warning",
                "is minimal: no replica and no backup to a point in time is possible",
                "set wal_level = replica in postgresql.conf and restart it",
            )
        else:
            yield Finding("wal_level", "ok", settings["wal_level"])

    def _room(self, settings: Mapping[str, str]) -> Finding:
        most, reserved = (int(settings[name]) for name in NUMBERS)
        pool = self._connection.target.pool_max
        ours = 2 * pool + FEW
        processes = (most - reserved) // ours
        message = (
            f"{most}, enough for {processes} processes: two pools of {pool} and {FEW} others each"
        )
        if processes > 0:
            return Finding("max_connections", "ok", message)
        return Finding(
            "max_connections",
            "error",
            message,
            f"raise max_connections above {ours + reserved}, or lower DB_POOL_MAX_SIZE",
        )

    def _rights(self, facts: Mapping[str, Any]) -> Iterator[Finding]:
        if facts["may_create"]:
            yield Finding("rights", "ok", "may create schemas in the database")
        else:
            yield Finding(
                "rights",
                "warning",
                "this user may not create schemas in the database",
                "well if POSTGRES_OWNER_URL is set for `rightstore schema`; else GRANT CREATE ON "
                "DATABASE … TO this user, or make it the owner",
            )
        if facts["is_superuser"]:
            yield Finding(
                "superuser",
                "warning",
                "this user is a superuser: no rule of the database holds for it",
                "connect as a user of its own, without SUPERUSER",
            )

    def _encoding(self, facts: Mapping[str, Any]) -> Finding:
        if facts["encoding"] == "UTF8":
            return Finding("encoding", "ok", "UTF8")
        return Finding(
            "encoding",
            "error",
            f"is {facts['encoding']}: it cannot keep every text",
            "make the database anew with ENCODING 'UTF8' TEMPLATE template0",
        )

    def _encryption(self, facts: Mapping[str, Any]) -> Finding:
        if facts["is_encrypted"]:
            return Finding("encryption", "ok", "TLS")
        if self._connection.target.is_local:
            return Finding("encryption", "ok", "none, within this machine")
        return Finding(
            "encryption",
            "warning",
            "the way to the server is not encrypted",
            "set ssl = on there, and sslmode=verify-full in POSTGRES_URL",
        )
