"""What becomes of a driver's exceptions: by type and code, with nothing of their text."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager

import asyncpg
import pytest
from aiormq import exceptions as amqp
from botocore import exceptions as aws
from opensearchpy import exceptions as search
from pymongo import errors as mongo
from redis import exceptions as cache

from rightstore.adapters.dynamodb.errors import translated as dynamodb
from rightstore.adapters.mongodb.errors import translated as mongodb
from rightstore.adapters.opensearch.errors import translated as opensearch
from rightstore.adapters.postgres.errors import translated as postgres
from rightstore.adapters.rabbitmq.errors import translated as rabbitmq
from rightstore.adapters.redis.errors import translated as redis
from rightstore.errors import (
    DeadlineError,
    NotFoundError,
    RejectedError,
    StoreError,
    ThrottledError,
    UnavailableError,
    UsageError,
)

CANARY = "canary-7f3a"
TRANSLATED: dict[str, Callable[..., AbstractContextManager[None]]] = {
    "postgres": postgres,
    "mongodb": mongodb,
    "redis": redis,
    "dynamodb": dynamodb,
    "opensearch": opensearch,
    "rabbitmq": rabbitmq,
}


def client_error(code: str) -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": CANARY}}, "ListTables")


TOLD = [
    ("postgres", asyncpg.InvalidPasswordError(CANARY), RejectedError),
    ("postgres", asyncpg.InvalidAuthorizationSpecificationError(CANARY), RejectedError),
    ("postgres", asyncpg.InvalidCatalogNameError(CANARY), RejectedError),
    ("postgres", asyncpg.InsufficientPrivilegeError(CANARY), RejectedError),
    ("postgres", asyncpg.SyntaxOrAccessError(CANARY), RejectedError),
    ("postgres", asyncpg.TooManyConnectionsError(CANARY), ThrottledError),
    ("postgres", asyncpg.DiskFullError(CANARY), UnavailableError),
    ("postgres", asyncpg.QueryCanceledError(CANARY), DeadlineError),
    ("postgres", asyncpg.CannotConnectNowError(CANARY), UnavailableError),
    ("postgres", asyncpg.AdminShutdownError(CANARY), UnavailableError),
    ("postgres", asyncpg.ConnectionDoesNotExistError(CANARY), UnavailableError),
    ("postgres", asyncpg.InterfaceError(CANARY), UnavailableError),
    ("postgres", asyncpg.TargetServerAttributeNotMatched(CANARY), UnavailableError),
    ("postgres", asyncpg.ProtocolError(CANARY), RejectedError),
    ("mongodb", mongo.OperationFailure(CANARY, 18), RejectedError),
    ("mongodb", mongo.OperationFailure(CANARY, 13), RejectedError),
    ("mongodb", mongo.OperationFailure(CANARY, 91), UnavailableError),
    ("mongodb", mongo.OperationFailure(CANARY, 59), RejectedError),
    ("mongodb", mongo.ExecutionTimeout(CANARY, 50), DeadlineError),
    ("mongodb", mongo.NetworkTimeout(CANARY), DeadlineError),
    ("mongodb", mongo.WaitQueueTimeoutError(CANARY), DeadlineError),
    ("mongodb", mongo.AutoReconnect(CANARY), UnavailableError),
    ("mongodb", mongo.NotPrimaryError(CANARY), UnavailableError),
    ("mongodb", mongo.InvalidOperation(CANARY), UnavailableError),
    ("mongodb", mongo.ProtocolError(CANARY), RejectedError),
    ("redis", cache.AuthenticationError(CANARY), RejectedError),
    ("redis", cache.NoPermissionError(CANARY), RejectedError),
    ("redis", cache.BusyLoadingError(CANARY), UnavailableError),
    ("redis", cache.ReadOnlyError(CANARY), UnavailableError),
    ("redis", cache.MaxConnectionsError(CANARY), ThrottledError),
    ("redis", cache.OutOfMemoryError(CANARY), ThrottledError),
    ("redis", cache.ClusterDownError(CANARY), UnavailableError),
    ("redis", cache.RedisClusterException(CANARY), UnavailableError),
    ("redis", cache.TimeoutError(CANARY), DeadlineError),
    ("redis", cache.ConnectionError(CANARY), UnavailableError),
    ("redis", cache.InvalidResponse(CANARY), RejectedError),
    ("redis", cache.ResponseError(CANARY), RejectedError),
    ("dynamodb", client_error("UnrecognizedClientException"), RejectedError),
    ("dynamodb", client_error("AccessDeniedException"), RejectedError),
    ("dynamodb", client_error("ThrottlingException"), ThrottledError),
    ("dynamodb", client_error("ProvisionedThroughputExceededException"), ThrottledError),
    ("dynamodb", client_error("InternalServerError"), UnavailableError),
    ("dynamodb", client_error("ValidationException"), RejectedError),
    ("dynamodb", aws.NoCredentialsError(), RejectedError),
    ("dynamodb", aws.SSLError(endpoint_url=CANARY, error=CANARY), RejectedError),
    ("dynamodb", aws.ConnectTimeoutError(endpoint_url=CANARY), DeadlineError),
    ("dynamodb", aws.ReadTimeoutError(endpoint_url=CANARY), DeadlineError),
    ("dynamodb", aws.EndpointConnectionError(endpoint_url=CANARY), UnavailableError),
    ("dynamodb", aws.ConnectionClosedError(endpoint_url=CANARY), UnavailableError),
    ("opensearch", search.AuthenticationException(401, CANARY, {}), RejectedError),
    ("opensearch", search.AuthorizationException(403, CANARY, {}), RejectedError),
    ("opensearch", search.TransportError(429, CANARY, {}), ThrottledError),
    ("opensearch", search.TransportError(503, CANARY, {}), UnavailableError),
    ("opensearch", search.TransportError(504, CANARY, {}), DeadlineError),
    ("opensearch", search.RequestError(400, CANARY, {}), RejectedError),
    ("opensearch", search.ConnectionTimeout("TIMEOUT", CANARY, TimeoutError()), DeadlineError),
    ("opensearch", search.ConnectionError("N/A", CANARY, OSError()), UnavailableError),
    ("opensearch", search.ConnectionError("N/A", CANARY, ssl.SSLError(CANARY)), RejectedError),
    ("rabbitmq", amqp.ProbableAuthenticationError(CANARY), RejectedError),
    ("rabbitmq", amqp.ConnectionNotAllowed(530, CANARY), RejectedError),
    ("rabbitmq", amqp.ConnectionResourceError(506, CANARY), UnavailableError),
    ("rabbitmq", amqp.ConnectionClosed(320, CANARY), UnavailableError),
    ("rabbitmq", amqp.ChannelAccessRefused(403, CANARY), RejectedError),
    ("rabbitmq", amqp.ChannelPreconditionFailed(406, CANARY), RejectedError),
    ("rabbitmq", amqp.ChannelInvalidStateError(CANARY), UnavailableError),
    ("rabbitmq", amqp.InvalidFrameError(CANARY), RejectedError),
    ("rabbitmq", amqp.AMQPConnectionError(CANARY), UnavailableError),
]


@pytest.mark.parametrize(
    ("store", "raised", "kind"),
    TOLD,
    ids=[
        f"{store}-{type(raised).__name__}-{number}"
        for number, (store, raised, _) in enumerate(TOLD)
    ],
)
def test_a_driver_exception_becomes_ours(
    store: str, raised: Exception, kind: type[StoreError]
) -> None:
    with pytest.raises(kind) as caught, TRANSLATED[store]("ping", at="host:1"):
        raise raised

    error = caught.value
    assert isinstance(error, StoreError)
    assert (error.store, error.operation, error.outcome) == (store, "ping", "unknown")
    assert error.__cause__ is raised
    assert str(error).startswith(f"{store} at host:1 ")
    assert CANARY not in str(error)


@pytest.mark.parametrize("store", TRANSLATED)
@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (TimeoutError(), DeadlineError),
        (ConnectionRefusedError(), UnavailableError),
        (OSError(), UnavailableError),
    ],
)
def test_the_network_says_the_same_to_every_store(
    store: str, raised: Exception, kind: type[StoreError]
) -> None:
    with pytest.raises(kind), TRANSLATED[store]("ping", at="host:1"):
        raise raised


@pytest.mark.parametrize("store", set(TRANSLATED) - {"dynamodb"})
def test_a_failure_of_tls_is_rejected(store: str) -> None:
    with pytest.raises(RejectedError, match="TLS"), TRANSLATED[store]("open", at="host:1"):
        raise ssl.SSLCertVerificationError(CANARY)


@pytest.mark.parametrize("store", TRANSLATED)
def test_the_outcome_is_what_the_caller_knows(store: str) -> None:
    with (
        pytest.raises(DeadlineError) as caught,
        TRANSLATED[store]("ping", at="host:1", outcome="not applied"),
    ):
        raise TimeoutError

    assert caught.value.outcome == "not applied"


@pytest.mark.parametrize("store", TRANSLATED)
@pytest.mark.parametrize("passing", [asyncio.CancelledError, KeyboardInterrupt, NotFoundError])
def test_cancellation_and_our_own_errors_pass(store: str, passing: type[BaseException]) -> None:
    with pytest.raises(passing), TRANSLATED[store]("ping", at="host:1"):
        raise passing


def test_the_driver_of_postgres_refuses_an_option_of_the_url() -> None:
    with pytest.raises(UsageError, match="POSTGRES_URL") as caught, postgres("open", at="host:1"):
        raise asyncpg.ClientConfigurationError(CANARY)

    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_cluster_tells_what_kept_us_from_its_nodes() -> None:
    lost = cache.RedisClusterException(CANARY)
    lost.__cause__ = cache.AuthenticationError(CANARY)

    with pytest.raises(RejectedError, match="password"), redis("open", at="host:1"):
        raise lost
