"""What botocore raises, in our words: one table, by type and code. It parses no message."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientConnectorError
from botocore import exceptions as driver
from botocore.parsers import ResponseParserError

from rightstore.cancellation import Cancellable
from rightstore.errors import (
    DeadlineError,
    Outcome,
    RejectedError,
    StoreError,
    ThrottledError,
    UnavailableError,
)

_ANY: frozenset[str] = frozenset()
_SILENT = "did not answer in time: look at the network, or raise the timeout"
_UNREACHABLE = "cannot be reached: start it, or correct DYNAMODB_URL"
_CREDENTIALS = (
    "has no credentials from us: put them into DYNAMODB_URL or where AWS programs look for them"
)

# The first row whose type and code fit holds, so the special come first.
TABLE: tuple[tuple[type[Exception], frozenset[str], type[StoreError], str], ...] = (
    (
        driver.ClientError,
        frozenset(
            {
                "UnrecognizedClientException",
                "InvalidSignatureException",
                "IncompleteSignatureException",
                "InvalidClientTokenId",
                "ExpiredTokenException",
                "MissingAuthenticationTokenException",
            }
        ),
        RejectedError,
        "refuses the key, its secret or our time of day: correct the credentials, or the clock",
    ),
    (
        driver.ClientError,
        frozenset({"AccessDeniedException"}),
        RejectedError,
        "does not give this key the right: extend its IAM policy",
    ),
    (
        driver.ClientError,
        frozenset(
            {
                "ThrottlingException",
                "ProvisionedThroughputExceededException",
                "RequestLimitExceeded",
            }
        ),
        ThrottledError,
        "asks to slow down: do less at once, or raise its capacity",
    ),
    (
        driver.ClientError,
        frozenset({"InternalServerError", "InternalFailure", "ServiceUnavailable", "500", "503"}),
        UnavailableError,
        "does not serve now: wait",
    ),
    (
        driver.ClientError,
        frozenset({"ResourceNotFoundException"}),
        RejectedError,
        "has no such table or index: run `rightstore schema apply`",
    ),
    (driver.ClientError, _ANY, RejectedError, "refused the request"),
    (driver.NoCredentialsError, _ANY, RejectedError, _CREDENTIALS),
    (driver.PartialCredentialsError, _ANY, RejectedError, _CREDENTIALS),
    (driver.CredentialRetrievalError, _ANY, RejectedError, _CREDENTIALS),
    (
        driver.SSLError,
        _ANY,
        RejectedError,
        "and we do not agree on TLS: check its certificate, and https:// in DYNAMODB_URL",
    ),
    (driver.ConnectTimeoutError, _ANY, DeadlineError, _SILENT),
    (driver.ReadTimeoutError, _ANY, DeadlineError, _SILENT),
    (driver.HTTPClientError, _ANY, UnavailableError, _UNREACHABLE),
    (driver.ConnectionError, _ANY, UnavailableError, _UNREACHABLE),
    (
        driver.BotoCoreError,
        _ANY,
        RejectedError,
        "does not speak its protocol: correct DYNAMODB_URL",
    ),
    (
        ResponseParserError,
        _ANY,
        RejectedError,
        "does not speak its protocol: correct DYNAMODB_URL",
    ),
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
        code = code_of(error)
        kind, says = next(
            (kind, says)
            for type_, codes, kind, says in TABLE
            if isinstance(error, type_) and (not codes or code in codes)
        )
        raise kind(
            f"dynamodb at {at} {says}",
            store="dynamodb",
            operation=operation,
            outcome=outcome,
        ) from error


# What is raised before a request is on its way.
_UNSENT = (
    driver.ConnectTimeoutError,
    driver.NoCredentialsError,
    driver.PartialCredentialsError,
    driver.CredentialRetrievalError,
    driver.ParamValidationError,
)


def is_without_effect(error: BaseException | None) -> bool:
    """Tell whether a request was refused or never sent, so that it has done nothing for ever."""
    if isinstance(error, driver.ClientError):
        status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return 400 <= status < 500
    if isinstance(error, driver.EndpointConnectionError):
        # Its name lies: a connection that breaks while the answer is awaited is one too.
        return isinstance(error.kwargs.get("error"), ClientConnectorError)
    return isinstance(error, _UNSENT)


def code_of(error: Exception) -> str:
    """Return the code that the service gave, or nothing."""
    if not isinstance(error, driver.ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))
