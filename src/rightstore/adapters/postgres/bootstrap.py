"""Make a fresh PostgreSQL ready for its first owner. It creates no table."""

import asyncio
import hmac
import os
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256
from typing import Any

import asyncpg

from rightstore.adapters.postgres.errors import translated
from rightstore.errors import UsageError
from rightstore.ports.bootstrap import Owner
from rightstore.ports.connection import Target

ITERATIONS = 4096
RIGHTS = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"

# The server itself quotes the names: %I as an identifier, %L as a literal.
CREATE_ROLE = f"SELECT format('CREATE ROLE %I {RIGHTS} PASSWORD %L', $1::text, $2::text)"
ALTER_ROLE = f"SELECT format('ALTER ROLE %I {RIGHTS} PASSWORD %L', $1::text, $2::text)"
CREATE_DATABASE = """
SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0',
              $1::text, $2::text)
"""
ALTER_DATABASE = "SELECT format('ALTER DATABASE %I OWNER TO %I', $1::text, $2::text)"
CLOSE_DATABASE = "SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $1::text)"
OWN_SCHEMA = "SELECT format('ALTER SCHEMA public OWNER TO %I', $1::text)"
CLOSE_SCHEMA = "SELECT 'REVOKE ALL ON SCHEMA public FROM PUBLIC'"
HAS_ROLE = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
HAS_DATABASE = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"


async def bootstrap(admin: Target, owner: Owner) -> None:
    """Create the owner and its database, or set them right."""
    secret = verifier(owner.password, os.urandom(16))
    with translated("bootstrap", at=admin.address):
        async with asyncio.timeout(admin.connect_timeout + admin.timeout):
            await _run(admin, None, lambda session: _make(session, owner, secret))
            await _run(admin, owner.database, lambda session: _hand_over(session, owner))


async def _run(admin: Target, database: str | None, work: Any) -> None:
    session = await asyncpg.connect(
        admin.url, database=database, timeout=admin.connect_timeout, command_timeout=admin.timeout
    )
    try:
        await work(session)
        await session.close()
    finally:
        session.terminate()


async def _make(session: Any, owner: Owner, secret: str) -> None:
    has_role = await session.fetchval(HAS_ROLE, owner.user)
    await _say(session, ALTER_ROLE if has_role else CREATE_ROLE, owner.user, secret)
    has_database = await session.fetchval(HAS_DATABASE, owner.database)
    order = ALTER_DATABASE if has_database else CREATE_DATABASE
    await _say(session, order, owner.database, owner.user)
    await _say(session, CLOSE_DATABASE, owner.database)


async def _hand_over(session: Any, owner: Owner) -> None:
    await _say(session, OWN_SCHEMA, owner.user)
    await _say(session, CLOSE_SCHEMA)


async def _say(session: Any, order: str, *names: str) -> None:
    """Let the server compose an order that takes no parameters, and carry it out."""
    await session.execute(await session.fetchval(order, *names))


def verifier(password: str, salt: bytes) -> str:
    """Return what the server keeps of a password, so that it and its log never see the password."""
    if not (password.isascii() and password.isprintable() and password):
        raise UsageError(
            "the owner's password must be of printable ASCII characters: choose another"
        )
    salted = pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = b64encode(sha256(client).digest()).decode()
    server = b64encode(hmac.digest(salted, b"Server Key", "sha256")).decode()
    return f"SCRAM-SHA-256${ITERATIONS}:{b64encode(salt).decode()}${stored}:{server}"
