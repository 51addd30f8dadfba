"""What PyMongo raises, in our words: one table, by type and code. It parses no message."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import InvalidBSON, InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from rightstore.cancellation import Cancellable
from rightstore.errors import (
    CorruptDataError,
    DeadlineError,
    Outcome,
    RejectedError,
    StoreError,
    UnavailableError,
)

_ANY: frozenset[int] = frozenset()
_SILENT = (
    "did not answer in time: look at its load and the network, or raise the timeout (TLS spoken by "
    "one side only is silent too)"
)
_UNREACHABLE = "cannot be reached or has no primary: start it, or correct MONGODB_URL"

# The first row whose type and code fit holds, so the special come first.
TABLE: tuple[tuple[type[Exception], frozenset[int], type[StoreError], str], ...] = (
    (
        OperationFailure,
        frozenset({18, 11}),  # AuthenticationFailed, UserNotFound
        RejectedError,
        "refuses the user or the password: correct MONGODB_URL (and its authSource)",
    ),
    (
        OperationFailure,
        frozenset({13}),  # Unauthorized
        RejectedError,
        "does not give this user the right: grant readWrite on the database of each application, "
        "and clusterMonitor (the embedded server knows readWriteAnyDatabase only)",
    ),
    (
        OperationFailure,
        # ShutdownInProgress, NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToRepl,
        # PrimarySteppedDown, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary
        frozenset({91, 10107, 11600, 11602, 189, 13435, 13436}),
        UnavailableError,
        "shuts down or changes its primary: wait, and look at its log",
    ),
    (ExecutionTimeout, _ANY, DeadlineError, _SILENT),
    (OperationFailure, _ANY, RejectedError, "refused the request: its log says why"),
    (NetworkTimeout, _ANY, DeadlineError, _SILENT),
    (
        WaitQueueTimeoutError,
        _ANY,
        DeadlineError,
        "has all its connections in use: do less at once, or allow more connections",
    ),
    (AutoReconnect, _ANY, UnavailableError, _UNREACHABLE),
    (InvalidOperation, _ANY, UnavailableError, "is being closed by this process"),
    (PyMongoError, _ANY, RejectedError, "does not speak the protocol: correct MONGODB_URL"),
    (
        ssl.SSLError,
        _ANY,
        RejectedError,
        "and we do not agree on TLS: check its certificate, and tls in MONGODB_URL",
    ),
    (TimeoutError, _ANY, DeadlineError, _SILENT),
    (OSError, _ANY, UnavailableError, _UNREACHABLE),
)
DRIVER_ERRORS = tuple({row[0] for row in TABLE})
# HostUnreachable, HostNotFound, NetworkTimeout, ReadConcernMajorityNotAvailableYet,
# ExceededTimeLimit, SocketException
_PASSING = frozenset({6, 7, 89, 134, 262, 9001})


def is_passing(error: PyMongoError) -> bool:
    """Tell whether a read that failed so may succeed at once when it is asked again.

    A server that was silent, or that was not found in time, has had its time.
    """
    if isinstance(error, OperationFailure):
        return error.code in _PASSING
    if isinstance(error, NetworkTimeout | ServerSelectionTimeoutError):
        return False
    return isinstance(error, AutoReconnect)


@contextmanager
def translated(operation: str, *, at: str, outcome: Outcome = "unknown") -> Iterator[None]:
    """Let only errors of ours out; `at` is the address that the message names."""
    try:
        with Cancellable():
            yield
    except InvalidBSON as error:
        raise CorruptDataError(
            f"mongodb at {at} holds a value that Python has not, as a year above 9999: mend it",
            store="mongodb",
            operation=operation,
            outcome=outcome,
        ) from error
    except InvalidDocument as error:
        raise RejectedError(
            f"mongodb at {at} takes up to 16 MB in one request: ask for less at once",
            store="mongodb",
            operation=operation,
            outcome="not applied",
        ) from error
    except DRIVER_ERRORS as error:
        code = getattr(error, "code", None)
        kind, says = next(
            (kind, says)
            for driver, codes, kind, says in TABLE
            if isinstance(error, driver) and (not codes or code in codes)
        )
        raise kind(
            f"mongodb at {at} {says}", store="mongodb", operation=operation, outcome=outcome
        ) from error
