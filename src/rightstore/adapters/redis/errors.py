"""What redis-py raises, in our words: one table, by type and code. It parses no message."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions as driver

from rightstore.cancellation import Cancellable
from rightstore.errors import (
    DeadlineError,
    Outcome,
    RejectedError,
    StoreError,
    ThrottledError,
    UnavailableError,
)

_PASSWORD = "refuses the user or the password: correct REDIS_URL"  # noqa: S105 - a sentence
_SILENT = (
    "did not answer in time: look at its load and the network, or raise the timeout (TLS spoken by "
    "one side only is silent too)"
)
_UNREACHABLE = "cannot be reached: start it, or correct REDIS_URL"
_RIGHT = "does not give this user the right: extend its ACL"
_CLUSTER = "has no node for a slot: look at `redis-cli --cluster check`"

# The first row whose type fits holds, so the special come first.
TABLE: tuple[tuple[type[Exception], type[StoreError], str], ...] = (
    (driver.AuthenticationError, RejectedError, _PASSWORD),
    (driver.AuthenticationWrongNumberOfArgsError, RejectedError, _PASSWORD),
    (driver.ExternalAuthProviderError, RejectedError, _PASSWORD),
    (driver.AuthorizationError, RejectedError, _RIGHT),
    (driver.NoPermissionError, RejectedError, _RIGHT),
    (driver.BusyLoadingError, UnavailableError, "loads its data: wait"),
    (
        driver.MaxConnectionsError,
        ThrottledError,
        "has all our connections in use: do less at once, or allow more connections",
    ),
    (
        driver.OutOfMemoryError,
        ThrottledError,
        "is full: raise its maxmemory, or let it evict (maxmemory-policy)",
    ),
    (
        driver.ReadOnlyError,
        UnavailableError,
        "is a replica now: wait for the primary, or correct REDIS_URL",
    ),
    (driver.ClusterError, UnavailableError, _CLUSTER),
    (driver.SlotNotCoveredError, UnavailableError, _CLUSTER),
    (
        driver.RedisClusterException,
        UnavailableError,
        "is no cluster that can be reached: correct REDIS_URL",
    ),
    (driver.TimeoutError, DeadlineError, _SILENT),
    (driver.ConnectionError, UnavailableError, _UNREACHABLE),
    (driver.InvalidResponse, RejectedError, "does not speak the protocol: correct REDIS_URL"),
    (driver.RedisError, RejectedError, "refused the request: its log says why"),
    (
        ssl.SSLError,
        RejectedError,
        "and we do not agree on TLS: check its certificate, and rediss:// in REDIS_URL",
    ),
    (TimeoutError, DeadlineError, _SILENT),
    (OSError, UnavailableError, _UNREACHABLE),
)
DRIVER_ERRORS = tuple({row[0] for row in TABLE})


@contextmanager
def translated(operation: str, *, at: str, outcome: Outcome = "unknown") -> Iterator[None]:
    """Let only errors of ours out; `at` is the address that the message names."""
    try:
        with Cancellable():
            yield
    except DRIVER_ERRORS as error:
        met = _met(error)
        kind, says = next((kind, says) for type_, kind, says in TABLE if isinstance(met, type_))
        raise kind(
            f"redis at {at} {says}", store="redis", operation=operation, outcome=outcome
        ) from error


def _met(error: Exception) -> BaseException:
    """Return what the driver wrapped: TLS into a lost connection, and both into a lost cluster."""
    cause = error.__cause__
    if isinstance(cause, driver.ConnectionError | driver.TimeoutError):
        return _met(cause)
    return error.__context__ if isinstance(error.__context__, ssl.SSLError) else error
