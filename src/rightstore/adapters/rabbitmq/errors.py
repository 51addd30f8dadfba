"""What aio-pika raises, in our words: one table, by type (one per code). It parses no message."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from aiormq import exceptions as driver
from pamqp.exceptions import PAMQPException

from rightstore.cancellation import Cancellable
from rightstore.errors import (
    DeadlineError,
    Outcome,
    RejectedError,
    StoreError,
    UnavailableError,
)

_PASSWORD = "refuses the user or the password: correct RABBITMQ_URL"  # noqa: S105 - a sentence
_SILENT = "did not answer in time: look at its load and its alarms, or raise the timeout"
_GONE = "cut the connection: it stopped or restarted; look at its log"
_UNREACHABLE = "cannot be reached: start it, or correct RABBITMQ_URL"
_PROTOCOL = "does not speak AMQP 0-9-1: correct RABBITMQ_URL"

# The first row whose type fits holds, so the special come first.
TABLE: tuple[tuple[type[Exception], type[StoreError], str], ...] = (
    (driver.ProbableAuthenticationError, RejectedError, _PASSWORD),  # 403 while connecting
    (driver.AuthenticationError, RejectedError, _PASSWORD),
    (driver.IncompatibleProtocolError, RejectedError, _PROTOCOL),
    (
        driver.ConnectionNotAllowed,  # 530
        RejectedError,
        "has no such virtual host, or not for this user: correct RABBITMQ_URL, or its permissions",
    ),
    (
        driver.ConnectionResourceError,  # 506
        UnavailableError,
        "is out of a resource: its log says which",
    ),
    (driver.ConnectionClosed, UnavailableError, _GONE),  # 320 is a shutdown
    (
        driver.ChannelAccessRefused,  # 403
        RejectedError,
        "does not give this user the right: extend its permissions (configure, write, read)",
    ),
    (driver.AMQPChannelError, RejectedError, "refused the request: its log says why"),
    (driver.ChannelInvalidStateError, UnavailableError, _GONE),
    (
        ssl.SSLError,
        RejectedError,
        "and we do not agree on TLS: check its certificate, and amqps:// in RABBITMQ_URL",
    ),
    (driver.AMQPConnectionError, UnavailableError, _UNREACHABLE),
    (
        driver.InvalidFrameError,  # also what becomes of 530 while connecting
        RejectedError,
        "has no such virtual host for this user, or does not speak AMQP: correct RABBITMQ_URL",
    ),
    (driver.AMQPError, RejectedError, _PROTOCOL),
    (PAMQPException, RejectedError, _PROTOCOL),
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
        # The driver wraps what TLS says into its word for a lost connection.
        met = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
        kind, says = next((kind, says) for type_, kind, says in TABLE if isinstance(met, type_))
        raise kind(
            f"rabbitmq at {at} {says}", store="rabbitmq", operation=operation, outcome=outcome
        ) from error
