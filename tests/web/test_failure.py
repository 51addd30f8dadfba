from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import Body, Depends, FastAPI, Header, HTTPException
from httpx import ASGITransport, AsyncClient, Response
from pydantic import BaseModel, Field, Json, field_validator
from starlette.types import ASGIApp, Receive, Scope, Send

from rightstore import errors
from rightstore.web.failure import failure_of, install_failures

Build = Callable[..., ASGIApp]
Logs = Callable[[], list[dict[str, Any]]]

CANARY = "hunter2"
STORE = {"store": "postgres", "operation": "put"}
TABLE: list[tuple[errors.RightstoreError, int, str]] = [
    (errors.NotFoundError("no such order"), 404, "not_found"),
    (errors.AlreadyExistsError("x"), 409, "already_exists"),
    (errors.VersionConflictError("x"), 412, "version_conflict"),
    (errors.ConditionError("x"), 409, "condition"),
    (errors.ConstraintError("x"), 409, "constraint"),
    (errors.PartialError("x"), 409, "partial"),
    (errors.KeyReusedError("x"), 422, "key_reused"),
    (errors.InProgressError("x", retry_after=0.2), 409, "in_progress"),
    (errors.LimitError("x", retry_after=7.0), 429, "limit"),
    (errors.LeaseLostError("x"), 409, "lease_lost"),
    (errors.SessionBrokenError("x"), 409, "session_broken"),
    (errors.StepFailedError("x"), 409, "step_failed"),
    (errors.CompensationFailedError("x"), 500, "compensation_failed"),
    (errors.InvalidQueryError("x"), 422, "invalid_query"),
    (errors.UnsupportedError("x"), 500, "unsupported"),
    (errors.NotConfiguredError("x"), 500, "not_configured"),
    (errors.UsageError("x"), 500, "usage"),
    (errors.UnavailableError("x", **STORE), 503, "unavailable"),  # type: ignore[arg-type] # two texts
    (errors.ThrottledError("x", **STORE), 503, "throttled"),  # type: ignore[arg-type] # two texts
    (errors.DeadlineError("x", **STORE), 504, "deadline"),  # type: ignore[arg-type] # two texts
    (errors.RejectedError("x", **STORE), 502, "rejected"),  # type: ignore[arg-type] # two texts
    (errors.CorruptDataError("x", **STORE), 500, "corrupt_data"),  # type: ignore[arg-type] # two texts
]


class Colour(Enum):
    RED = "red"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Order(BaseModel):
    amount: Decimal
    name: str = Field("n", max_length=3)
    number: UUID | None = None
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    colour: Colour = Colour.RED
    nested: Json[Any] = None

    @field_validator("name")
    @classmethod
    def is_not_bad(cls, value: str) -> str:
        if value == "bad":
            raise ValueError(f"{value} {CANARY} is bad")
        return value


def client(program: ASGIApp) -> AsyncClient:
    transport = ASGITransport(program)
    return AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
async def shop(build: Build) -> AsyncIterator[AsyncClient]:
    api = FastAPI()
    install_failures(api)

    @api.post("/orders")
    async def order(body: Annotated[Order, Body()], limit: int = 1) -> int:
        return limit

    @api.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError(CANARY)

    async def refused() -> None:
        raise HTTPException(401, "log in first", {"WWW-Authenticate": "Bearer"})

    @api.get("/secret", dependencies=[Depends(refused)])
    async def secret() -> None: ...

    @api.get("/unchanged")
    async def unchanged() -> None:
        raise HTTPException(304, headers={"ETag": "1"})

    async with client(build({"/": api})) as http:
        yield http


def error_of(answer: Response) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    assert error["request_id"] == answer.headers["x-request-id"]
    return error


@pytest.mark.parametrize(("error", "status", "code"), TABLE, ids=str)
async def test_each_error_has_its_status_in_fastapi_and_in_plain_programs(
    build: Build, error: errors.RightstoreError, status: int, code: str
) -> None:
    api = FastAPI()
    install_failures(api)

    @api.get("/")
    async def fail() -> None:
        raise error

    async def program(_: Scope, __: Receive, ___: Send) -> None:
        raise error

    async with client(build({"/api": api, "/plain": program})) as http:
        answers = [await http.get("/api/"), await http.get("/plain/")]

    for answer in answers:
        assert answer.status_code == status
        assert error_of(answer)["code"] == code
        assert error_of(answer).get("outcome") == getattr(error, "outcome", None)


def test_every_error_has_a_row_in_the_table() -> None:
    def below(kind: type[errors.RightstoreError]) -> set[type[errors.RightstoreError]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    ours = {kind for kind in below(errors.RightstoreError) if kind.__module__ == errors.__name__}
    families = {errors.RightstoreError, errors.StateError, errors.StoreError, errors._LaterError}

    assert {type(error) for error, _, _ in TABLE} == ours - families


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (errors.LimitError("x", retry_after=0.2), b"1"),
        (errors.InProgressError("x", retry_after=7.0), b"7"),
        (errors.ThrottledError("x", store="s", operation="o", retry_after=7.1), b"8"),
    ],
)
def test_retry_after_is_rounded_up(error: Exception, seconds: bytes) -> None:
    failure = failure_of(error)

    assert (b"retry-after", seconds) in failure.headers


def test_what_a_store_said_is_not_told() -> None:
    error = errors.UnavailableError(f"10.0.0.1 {CANARY}", store="redis", operation="get")

    failure = failure_of(error)

    assert CANARY not in failure.message
    assert failure.outcome == "unknown"


def test_an_error_of_an_application_is_answered_as_its_family() -> None:
    class SoldOutError(errors.ConditionError):
        """Nothing is left."""

    failure = failure_of(SoldOutError("all sold"))

    assert (failure.status, failure.code, failure.message) == (409, "condition", "all sold")


async def test_malformed_json_is_400(shop: AsyncClient) -> None:
    json = {"content-type": "application/json"}

    answer = await shop.post("/orders", content=b'{"amount": 1,', headers=json)

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "malformed_json"


async def test_a_wrong_field_is_named_by_its_path(shop: AsyncClient) -> None:
    answer = await shop.post("/orders?limit=x", json={"amount": CANARY, "name": "too long"})

    error = error_of(answer)
    assert answer.status_code == 422
    assert error["code"] == "invalid_request"
    assert error["field"] == "query.limit"
    assert error["message"] == (
        "query.limit: Input should be a valid integer, unable to parse string as an integer; "
        "body.amount: Input should be a valid decimal; "
        "body.name: String should have at most 3 characters"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"amount": CANARY},
        {"amount": 1, "number": CANARY},
        {"amount": 1, "pet": {"kind": CANARY}},
        {"amount": 1, "name": "bad"},
        {"amount": 1, "colour": CANARY},
        {"amount": 1, "nested": f"{{{CANARY}"},
        {"amount": 1, "name": [CANARY]},
        CANARY,
    ],
)
async def test_the_input_is_not_repeated(shop: AsyncClient, body: object) -> None:
    answer = await shop.post("/orders", json=body)

    assert answer.status_code == 422
    assert CANARY not in answer.text
    assert error_of(answer)["field"].startswith("body")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
async def test_what_is_no_number_is_refused_for_an_amount(shop: AsyncClient, value: str) -> None:
    content = f'{{"amount": {value}}}'.encode()
    json = {"content-type": "application/json"}

    answer = await shop.post("/orders", content=content, headers=json)

    assert answer.status_code == 422
    assert error_of(answer)["field"] == "body.amount"


@pytest.mark.parametrize(
    "content", [b'{"amount": "\xff"}', b"[" * 200_000, b'{"amount": ' + b"9" * 5000 + b"}"]
)
async def test_json_that_breaks_the_parser_is_the_callers_fault(
    shop: AsyncClient, content: bytes
) -> None:
    json = {"content-type": "application/json"}

    answer = await shop.post("/orders", content=content, headers=json)

    assert answer.status_code in (400, 422)
    assert error_of(answer)["message"]


async def test_unknown_paths_and_methods_have_the_shape(shop: AsyncClient) -> None:
    nowhere, method = await shop.get("/nowhere"), await shop.get("/orders")

    assert (nowhere.status_code, error_of(nowhere)["code"]) == (404, "not_found")
    assert (method.status_code, error_of(method)["code"]) == (405, "method_not_allowed")
    assert method.headers["allow"] == "POST"


async def test_an_exception_of_the_framework_keeps_its_text_and_headers(shop: AsyncClient) -> None:
    answer = await shop.get("/secret")

    assert answer.status_code == 401
    assert error_of(answer) | {"request_id": ""} == {
        "code": "unauthorized",
        "message": "log in first",
        "request_id": "",
    }
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_answer_without_a_body_stays_without(shop: AsyncClient) -> None:
    answer = await shop.get("/unchanged")

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == "1"


async def test_a_bug_is_500_without_details_and_logged_once(logs: Logs, shop: AsyncClient) -> None:
    answer = await shop.get("/bug")

    assert answer.status_code == 500
    assert error_of(answer)["code"] == "internal"
    assert CANARY not in answer.text
    failed = [line for line in logs() if line["event"] == "request failed"]
    assert [line["exception"][0]["exc_type"] for line in failed] == ["ZeroDivisionError"]
    assert failed[0]["request_id"] == answer.headers["x-request-id"]


async def test_the_words_of_a_store_are_in_the_log(logs: Logs, build: Build) -> None:
    async def program(_: Scope, __: Receive, ___: Send) -> None:
        raise errors.UnavailableError("redis at 10.0.0.1", store="redis", operation="get")

    async with client(build({"/": program})) as http:
        await http.get("/")

    (line,) = [line for line in logs() if line["event"] == "store failed"]
    assert (line["level"], line["store"]) == ("warning", "redis")
    assert line["error"] == "redis at 10.0.0.1"


async def test_a_body_with_many_faults_gives_a_short_answer(build: Build) -> None:
    api = FastAPI()
    install_failures(api)

    @api.post("/numbers")
    async def take(numbers: list[int]) -> int:
        return len(numbers)

    async with client(build({"/": api})) as http:
        answer = await http.post("/numbers", json=["x"] * 2000)

    assert len(error_of(answer)["message"]) <= 1000
    assert error_of(answer)["message"].endswith("; and 1995 more")
    assert error_of(answer)["message"].count("valid integer") == 5
    assert error_of(answer)["field"] == "body.0"


@pytest.mark.parametrize("key", [f"{CANARY}@mail.example", "n" * 65, f"4 {CANARY}", ""])
async def test_a_key_that_is_no_name_is_not_repeated(build: Build, key: str) -> None:
    api = FastAPI()
    install_failures(api)

    @api.post("/prices")
    async def take(prices: dict[str, dict[str, int]]) -> int:
        return len(prices)

    async with client(build({"/": api})) as http:
        answer = await http.post("/prices", json={key: {"fair_price": "x"}})

    assert error_of(answer)["field"] == "body.*.fair_price"
    assert error_of(answer)["message"].startswith("body.*.fair_price: ")


async def test_a_missing_header_is_named(build: Build) -> None:
    api = FastAPI()
    install_failures(api)

    @api.get("/")
    async def read(x_token: Annotated[str, Header()]) -> str:
        return x_token

    async with client(build({"/": api})) as http:
        answer = await http.get("/")

    assert error_of(answer)["field"] == "header.x-token"


@pytest.mark.parametrize("status", [500, 503])
def test_an_exception_of_the_framework_from_500_on_has_a_fixed_sentence(status: int) -> None:
    error = HTTPException(status, f"postgres://app:{CANARY}@10.0.0.1", {"Retry-After": "7"})

    failure = failure_of(error)

    assert failure.status == status
    assert failure.message == "Something went wrong here; the log has it under request_id."
    assert failure.headers == ((b"retry-after", b"7"),)
