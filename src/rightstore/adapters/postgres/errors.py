"""What asyncpg raises, in our words: one table, by type and SQLSTATE. It parses no message."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from rightstore.cancellation import Cancellable
from rightstore.errors import (
    DeadlineError,
    Outcome,
    RejectedError,
    StoreError,
    ThrottledError,
    UnavailableError,
    UsageError,
)

_GONE = "cut the connection: it stopped or restarted; look at its log"
_UNREACHABLE = "cannot be reached: start it, or correct POSTGRES_URL (host, port, sslmode)"
_SILENT = "did not answer in time: look at its load and the network, or raise the timeout"

# The first row whose type and beginning of the SQLSTATE fit holds, so the special come first.
TABLE: tuple[tuple[type[Exception], str, type[StoreError], str], ...] = (
    (
        asyncpg.PostgresError,
        "28",
        RejectedError,
        "refuses the user, the password or this host: correct POSTGRES_URL, or its pg_hba.conf",
    ),
    (
        asyncpg.PostgresError,
        "3D000",
        RejectedError,
        "has no such database: create it, or correct POSTGRES_URL",
    ),
    (
        asyncpg.PostgresError,
        "42501",
        RejectedError,
        "does not give this user the right: grant it, or connect as the owner of the database",
    ),
    (
        asyncpg.PostgresError,
        "53300",
        ThrottledError,
        "has no connection left: raise its max_connections, or lower DB_POOL_MAX_SIZE",
    ),
    (
        asyncpg.PostgresError,
        "53",
        UnavailableError,
        "is out of disk or memory: free some; its log says which",
    ),
    (asyncpg.PostgresError, "57014", DeadlineError, _SILENT),
    (
        asyncpg.PostgresError,
        "57P03",
        UnavailableError,
        "starts up or shuts down: wait, and look at its log",
    ),
    (asyncpg.PostgresError, "57P", UnavailableError, _GONE),
    (asyncpg.PostgresError, "08", UnavailableError, _GONE),
    (asyncpg.PostgresError, "", RejectedError, "refused the request: its log says why"),
    (
        asyncpg.TargetServerAttributeNotMatched,
        "",
        UnavailableError,
        "has no server in the role that target_session_attrs of POSTGRES_URL asks for",
    ),
    (asyncpg.InterfaceError, "", UnavailableError, _GONE),
    (
        asyncpg.InternalClientError,
        "",
        RejectedError,
        "does not speak the protocol of PostgreSQL: correct POSTGRES_URL",
    ),
    (
        ssl.SSLError,
        "",
        RejectedError,
        "and we do not agree on TLS: check its certificate, and sslmode in POSTGRES_URL",
    ),
    (TimeoutError, "", DeadlineError, _SILENT),
    (OSError, "", UnavailableError, _UNREACHABLE),
)
DRIVER_ERRORS = tuple({row[0] for row in TABLE})


@contextmanager
def translated(operation: str, *, at: str, outcome: Outcome = "unknown") -> Iterator[None]:
    """Let only errors of ours out; `at` is the address that the message names."""
    try:
        with Cancellable():
            yield
    except asyncpg.ClientConfigurationError as error:
        # Without the cause: its text may quote the URL.
        raise UsageError(
            f"the options of POSTGRES_URL are not accepted ({type(error).__name__}): correct what "
            "follows its question mark"
        ) from None
    except DRIVER_ERRORS as error:
        code = getattr(error, "sqlstate", None) or ""
        kind, says = next(
            (kind, says)
            for driver, prefix, kind, says in TABLE
            if isinstance(error, driver) and code.startswith(prefix)
        )
        raise kind(
            f"postgres at {at} {says}", store="postgres", operation=operation, outcome=outcome
        ) from error
