"""Every error as an HTTP answer, in one JSON shape; `install_failures` gives it to FastAPI.

What is our fault (500 and above) is told in a fixed sentence: addresses, queries and traces stay in
the log. An answer never repeats what the caller sent.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rightstore import errors
from rightstore.telemetry.log import request_id

logger = structlog.get_logger(__name__)

# The most special class that fits decides. No sentence: the error's own is made for the caller.
TABLE: Mapping[type[errors.RightstoreError], tuple[int, str | None]] = {
    errors.RightstoreError: (500, "Something went wrong here."),
    errors.UsageError: (500, "The server is used in a wrong way."),
    errors.NotConfiguredError: (500, "The server is not set up for this."),
    errors.UnsupportedError: (500, "The server cannot do this."),
    errors.InvalidQueryError: (422, None),
    errors.StateError: (409, None),
    errors.NotFoundError: (404, None),
    errors.AlreadyExistsError: (409, None),
    errors.VersionConflictError: (412, None),
    errors.ConditionError: (409, None),
    errors.ConstraintError: (409, None),
    errors.PartialError: (409, None),
    errors.KeyReusedError: (422, None),
    errors.InProgressError: (409, None),
    errors.LimitError: (429, None),
    errors.LeaseLostError: (409, None),
    errors.SessionBrokenError: (409, None),
    errors.StepFailedError: (409, None),
    errors.CompensationFailedError: (500, "An undo failed; a person has to look at it."),
    errors.StoreError: (503, "A store did not do its part."),
    errors.UnavailableError: (503, "A store cannot be reached now; try again later."),
    errors.ThrottledError: (503, "A store asks to slow down; try again later."),
    errors.DeadlineError: (504, "A store did not answer in time."),
    errors.RejectedError: (502, "A store refused the request."),
    errors.CorruptDataError: (500, "What a store gave cannot be read."),
}
# Messages of pydantic that quote the input: they are cut to what does not.
QUOTING = {
    "value_error": "Value is not allowed",
    "assertion_error": "Value is not allowed",
    "union_tag_invalid": "Tag is none of the expected ones",
    "get_attribute_error": "Value cannot be read",
    "iteration_error": "Value cannot be iterated",
}
# Of what is wrong with a request, so much is told: a body can have a million faults.
FAULTS = 5
LENGTH = 1000
PHRASES = {status.value: status.phrase for status in HTTPStatus}
BODILESS = (204, 304)
_name = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_header_name = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is no success: what the caller gets, and nothing else."""

    status: int
    code: str
    message: str
    field: str | None = None
    outcome: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def body(self) -> bytes:
        """Return the JSON shape, with the id of the current request."""
        error = {"code": self.code, "message": self.message}
        error |= {"field": self.field} if self.field else {}
        error |= {"outcome": self.outcome} if self.outcome else {}
        return msgspec.json.encode({"error": error | {"request_id": request_id.get()}})

    def header_list(self, body: bytes) -> list[tuple[bytes, bytes]]:
        """Return the headers that go with the body."""
        return [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *self.headers,
        ]


CLOSE = (b"connection", b"close")
INTERNAL = Failure(500, "internal", "Something went wrong here; the log has it under request_id.")
TOO_LARGE = Failure(413, "body_too_large", "The body is larger than allowed.", headers=(CLOSE,))
TIMED_OUT = Failure(504, "request_timeout", "No answer was ready in time.", headers=(CLOSE,))


class RefusedError(Exception):
    """Raised inside the web room to answer with a failure that is made already."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def failure_of(error: BaseException) -> Failure:
    """Return the answer to an error; one that nobody foresaw is 500 without details."""
    if isinstance(error, RefusedError):
        return error.failure
    if isinstance(error, errors.RightstoreError):
        return _of_ours(error)
    if isinstance(error, RequestValidationError):
        return _of_validation(error.errors())
    if isinstance(error, HTTPException):
        return _of_http(error)
    return INTERNAL


def report(error: BaseException, failure: Failure) -> None:
    """Log what the caller is not told: the store's own words, the trace of what nobody foresaw."""
    if isinstance(error, errors.StoreError):
        logger.warning("store failed", store=error.store, error=str(error), code=failure.code)
    elif failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request failed", code=failure.code, exc_info=error)


def install_failures(api: FastAPI) -> None:
    """Let a FastAPI program answer every error in our shape."""
    for kind in (errors.RightstoreError, RequestValidationError, HTTPException, Exception):
        api.add_exception_handler(kind, _answer)


async def _answer(_: Request, error: Exception) -> Response:
    failure = failure_of(error)
    # An error that nobody foresaw comes by the edge as well, which reports it there.
    if failure is not INTERNAL:
        report(error, failure)
    bodiless = failure.status in BODILESS
    body = b"" if bodiless else failure.body()
    response = Response(body, failure.status)
    response.raw_headers = list(failure.headers) if bodiless else failure.header_list(body)
    return response


def _of_ours(error: errors.RightstoreError) -> Failure:
    kind = next(kind for kind in type(error).__mro__ if kind in TABLE)
    status, sentence = TABLE[kind]
    after = getattr(error, "retry_after", None)
    return Failure(
        status,
        _code(kind),
        sentence or str(error),
        outcome=error.outcome if isinstance(error, errors.StoreError) else None,
        headers=() if after is None else ((b"retry-after", str(math.ceil(after)).encode()),),
    )


def _of_validation(found: Sequence[Any]) -> Failure:
    first = found[0]
    # A field of pydantic's type Json fails with the same type, inside a body that is JSON.
    if first["type"] == "json_invalid" and first["msg"] == "JSON decode error":
        return Failure(400, "malformed_json", "The body is not JSON.", "body")
    told = "; ".join(f"{_path(each['loc'])}: {_sentence(each)}" for each in found[:FAULTS])
    more = f"; and {len(found) - FAULTS} more" if len(found) > FAULTS else ""
    message = told[: LENGTH - len(more)] + more
    return Failure(422, "invalid_request", message, _path(first["loc"]))


def _of_http(error: HTTPException) -> Failure:
    phrase = PHRASES.get(error.status_code, "Refused")
    headers = tuple(
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in (error.headers or {}).items()
    )
    ours = error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    detail = INTERNAL.message if ours else str(error.detail or phrase)
    code = re.sub(r"[^a-z]+", "_", phrase.lower())
    return Failure(error.status_code, code, detail, headers=headers)


@cache
def _code(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).lower()


def _path(location: Sequence[str | int]) -> str:
    """Return where it is; keys that the caller chose and that are no names are not repeated."""
    name = _header_name if location[:1] == ("header",) else _name
    parts = (
        str(part) if isinstance(part, int) or name.fullmatch(part) else "*" for part in location
    )
    return ".".join(parts)[:LENGTH]


def _sentence(detail: Mapping[str, Any]) -> str:
    """Return pydantic's message without the part that it makes from the input."""
    message = QUOTING.get(detail["type"], detail["msg"])
    parsing = "error" in detail.get("ctx", {})
    return str(message.partition(",")[0] if parsing else message)
