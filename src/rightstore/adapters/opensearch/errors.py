"""What opensearch-py raises, in our words: one table, by type and status. It parses no message."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from opensearchpy import exceptions as driver

from rightstore.cancellation import Cancellable
from rightstore.errors import (
    DeadlineError,
    Outcome,
    RejectedError,
    StoreError,
    ThrottledError,
    UnavailableError,
)

_ANY: frozenset[int | str] = frozenset()
_SILENT = "did not answer in time: look at its load and the network, or raise the timeout"
_UNREACHABLE = "cannot be reached: start it, or correct OPENSEARCH_URL"
_TLS = (
    "and we do not agree on TLS: check its certificate (SSL_CERT_FILE names those to trust), and "
    "https:// in OPENSEARCH_URL"
)
_PROTOCOL = "does not speak its protocol: correct OPENSEARCH_URL"

# The first row whose type and status fit holds, so the special come first.
TABLE: tuple[tuple[type[Exception], frozenset[int | str], type[StoreError], str], ...] = (
    (ssl.SSLError, _ANY, RejectedError, _TLS),
    (driver.SSLError, _ANY, RejectedError, _TLS),
    (driver.ConnectionTimeout, _ANY, DeadlineError, _SILENT),
    (driver.ConnectionError, _ANY, UnavailableError, _UNREACHABLE),
    (
        driver.AuthenticationException,
        _ANY,
        RejectedError,
        "refuses the user or the password: correct OPENSEARCH_URL",
    ),
    (
        driver.AuthorizationException,
        _ANY,
        RejectedError,
        "does not give this user the right: extend its role",
    ),
    (
        driver.TransportError,
        frozenset({429}),
        ThrottledError,
        "asks to slow down: do less at once, or add nodes",
    ),
    (
        driver.TransportError,
        frozenset({500, 502, 503}),
        UnavailableError,
        "does not serve now: wait, and look at its log",
    ),
    (driver.TransportError, frozenset({504, 408}), DeadlineError, _SILENT),
    (driver.TransportError, _ANY, RejectedError, "refused the request: its log says why"),
    (driver.OpenSearchException, _ANY, RejectedError, _PROTOCOL),
    (TimeoutError, _ANY, DeadlineError, _SILENT),
    (OSError, _ANY, UnavailableError, _UNREACHABLE),
)
DRIVER_ERRORS = tuple({row[0] for row in TABLE})


@contextmanager
def translated(operation: str, *, at: str, outcome: Outcome = "unknown") -> Iterator[None]:
    """Let only errors of ours out; `at` is the address that the message names."""
    try:
        with Cancellable():
            yield
    except DRIVER_ERRORS as error:
        status = error.status_code if isinstance(error, driver.TransportError) else ""
        # The driver wraps what TLS says into its word for a lost connection.
        inner = error.info if isinstance(error, driver.ConnectionError) else None
        met = inner if isinstance(inner, ssl.SSLError) else error
        kind, says = next(
            (kind, says)
            for type_, statuses, kind, says in TABLE
            if isinstance(met, type_) and (not statuses or status in statuses)
        )
        raise kind(
            f"opensearch at {at} {says}", store="opensearch", operation=operation, outcome=outcome
        ) from error


def outcome_of(status: int, operation: str, *, at: str) -> StoreError:
    """Return the error of one item of a bulk, which has a status of its own."""
    kind, says = next(
        (kind, says)
        for type_, statuses, kind, says in TABLE
        if type_ is driver.TransportError and (not statuses or status in statuses)
    )
    return kind(
        f"opensearch at {at} {says}",
        store="opensearch",
        operation=operation,
        outcome="unknown" if status >= 500 or status == 408 else "not applied",
    )
