"""A user of PostgreSQL that owns nothing, for as long as a test lasts."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg

from rightstore.embedded.address import ADMIN

PASSWORD = "lesser-password"


@asynccontextmanager
async def lesser(owner: str, namespace: str) -> AsyncIterator[str]:
    """Make a user who may only connect; yield its URL; drop it, and the namespace, at the end."""
    role = f"{namespace}_service"
    admin = await asyncpg.connect(_admin(owner))
    database = await admin.fetchval("SELECT current_database()")
    await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    await admin.execute(f"GRANT CONNECT ON DATABASE {database} TO {role}")
    parts = urlsplit(owner)
    address = parts.netloc.rpartition("@")[2]
    try:
        yield parts._replace(netloc=f"{role}:{PASSWORD}@{address}").geturl()
    finally:
        await admin.execute(f"DROP SCHEMA IF EXISTS {namespace} CASCADE")
        await admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        await admin.close()


def _admin(owner: str) -> str:
    """Return a URL of somebody who may make users: of a given server the owner, it is hoped."""
    parts = urlsplit(owner)
    folder = parse_qs(parts.query).get("host", [""])[0]
    kept = Path(folder).parent / "secrets.json"
    if not folder or not kept.exists():
        return owner
    password = quote(json.loads(kept.read_text("utf-8"))["postgres_admin"], safe="")
    return parts._replace(netloc=f"{ADMIN}:{password}@").geturl()
