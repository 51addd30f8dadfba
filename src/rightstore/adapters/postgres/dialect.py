"""SQLAlchemy's dialect for asyncpg, except that JSON stays text until SQLAlchemy's types read it.

So the same connection serves SQLAlchemy and records, whose bodies must not be decoded twice. It
also spares each new connection four round trips.
"""

from json import loads
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

URL = "postgresql+rightstore://"


class TextJsonDialect(PGDialect_asyncpg):
    """Reads JSON in the result and not in the connection."""

    supports_statement_cache = True
    dialect_injects_custom_json_deserializer = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"json_deserializer": loads} | options)  # type: ignore[no-untyped-call] # it has no types

    async def setup_asyncpg_json_codec(self, conn: Any) -> None:
        """Leave json to the driver: text."""

    async def setup_asyncpg_jsonb_codec(self, conn: Any) -> None:
        """Leave jsonb to the driver: text."""


registry.register("postgresql.rightstore", __name__, TextJsonDialect.__name__)
