"""PostgreSQL by hand: asyncpg's own pool, prepared statements, bodies decoded by msgspec.

The statements of get, get many, put and bulk are those of the library; so is the index of find.
"""
# ruff: noqa: S608 - constants only

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from benchmarks.workload import Plain

COLUMNS = "key, version, body, schema, write_id, wal"
WAL = "(pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"
CATEGORY = "((body->>'category') COLLATE \"C\")"
PRICE = (
    "(CASE WHEN (body->>'price') ~ '^-?[0-9]+(\\.[0-9]+)?(E[+-]?[0-9]{1,4})?$' "
    "THEN (body->>'price')::numeric END)"
)


class Statements:
    """The statements on one table."""

    def __init__(self, table: str) -> None:
        self.get = f"SELECT {COLUMNS} FROM {table} WHERE key = $1 AND body IS NOT NULL"
        self.get_many = (
            f"SELECT {COLUMNS} FROM {table} WHERE key = ANY($1::text[]) AND body IS NOT NULL"
        )
        self.put = (
            f"UPDATE {table} SET version = version + 1, body = $2, schema = 1, write_id = $4, "
            f"wal = {WAL} WHERE key = $1 AND version = $3 AND body IS NOT NULL RETURNING version"
        )
        self.bulk = (
            f"INSERT INTO {table} AS at (key, version, body, schema, write_id, wal) SELECT key, 1, "
            f"body::json, 1, write_id, {WAL} FROM unnest($1::text[], $2::text[], $3::text[]) AS "
            "given(key, body, write_id) ORDER BY key ON CONFLICT (key) DO UPDATE SET "
            "version = at.version + 1, body = excluded.body, schema = 1, "
            f"write_id = excluded.write_id, wal = {WAL} WHERE at.body IS NULL "
            "RETURNING key, version"
        )
        self.change = (
            f"UPDATE {table} SET version = version + 1, write_id = $3, wal = {WAL}, "
            "body = jsonb_set(body::jsonb, '{in_stock}', "
            "to_jsonb((body->>'in_stock')::bigint + $2::bigint))::json WHERE key = $1 "
            "AND body IS NOT NULL AND (body->>'in_stock')::bigint >= 0 RETURNING version, body"
        )
        self.find = (
            f"SELECT {COLUMNS} FROM {table} WHERE body IS NOT NULL AND {CATEGORY} = $1 "
            f"ORDER BY {PRICE} ASC NULLS FIRST, key ASC NULLS FIRST LIMIT $2"
        )


class PostgresByHand:
    """Implements `ByHand`."""

    def __init__(self, pool: Any, table: str) -> None:
        self._pool, self._statements = pool, Statements(table)
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(Plain).decode

    async def get(self, key: str) -> Plain:
        """Read one record."""
        row = await self._pool.fetchrow(self._statements.get, key)
        return self._decode(row["body"])

    async def get_many(self, keys: Sequence[str]) -> list[Plain | None]:
        """Read many, in the order asked."""
        rows = await self._pool.fetch(self._statements.get_many, keys)
        found = {row["key"]: self._decode(row["body"]) for row in rows}
        return [found.get(key) for key in keys]

    async def put(self, record: Plain, version: int) -> int:
        """Store a record if the one there has this version."""
        body, write_id = self._encode(record).decode(), str(uuid4())
        found: int = await self._pool.fetchval(
            self._statements.put, record.id, body, version, write_id
        )
        return found

    async def change(self, key: str, amount: int) -> Plain:
        """Add to a number of what is there."""
        row = await self._pool.fetchrow(self._statements.change, key, amount, str(uuid4()))
        return self._decode(row["body"])

    async def find(self, category: str, limit: int) -> list[Plain]:
        """Find the cheapest of a category."""
        rows = await self._pool.fetch(self._statements.find, category, limit)
        return [self._decode(row["body"]) for row in rows]

    async def bulk(self, records: Sequence[Plain]) -> int:
        """Store many new records."""
        rows = await self._pool.fetch(
            self._statements.bulk,
            [record.id for record in records],
            [self._encode(record).decode() for record in records],
            [str(uuid4()) for _ in records],
        )
        return len({row["key"]: row["version"] for row in rows})


@asynccontextmanager
async def by_hand(url: str, namespace: str) -> AsyncIterator[PostgresByHand]:
    """Open the driver's own pool for the block."""
    async with asyncpg.create_pool(url, min_size=1, max_size=10) as pool:
        yield PostgresByHand(pool, f'"{namespace}"."Item"')
