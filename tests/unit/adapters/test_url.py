"""What each adapter makes of its URL, before it connects to anything."""

import traceback
from collections.abc import Callable

import pytest

from rightstore.adapters.dynamodb.client import _region
from rightstore.adapters.dynamodb.client import connect as dynamodb
from rightstore.adapters.mongodb.client import connect as mongodb
from rightstore.adapters.opensearch.client import connect as opensearch
from rightstore.adapters.postgres.client import connect as postgres
from rightstore.adapters.rabbitmq.client import connect as rabbitmq
from rightstore.adapters.redis.client import _split
from rightstore.adapters.redis.client import connect as redis
from rightstore.clock import SYSTEM
from rightstore.errors import UsageError
from rightstore.ports.connection import Connection, Target

CANARY = "canary-7f3a"
CONNECT: dict[str, Callable[..., Connection]] = {
    "postgres": postgres,
    "mongodb": mongodb,
    "redis": redis,
    "dynamodb": dynamodb,
    "opensearch": opensearch,
    "rabbitmq": rabbitmq,
}
SOUND = [
    ("postgres", "postgres://app:pw@db.example/shop"),
    ("postgres", "postgresql://app:pw@/shop?host=/run/pg&port=5433&sslmode=disable"),
    ("mongodb", "mongodb://a.example:27017,b.example:27017/?replicaSet=rs0"),
    ("mongodb", "mongodb+srv://app:pw@cluster.example/"),
    ("redis", "rediss://:pw@cache.example:6379/0"),
    ("redis", "redis://cache.example:6379?cluster=true"),
    ("redis", "unix://:pw@/run/redis.sock?db=0"),
    ("dynamodb", "http://id:key@127.0.0.1:8000?region=eu-west-1"),
    ("dynamodb", "https://dynamodb.eu-west-1.amazonaws.com"),
    ("opensearch", "https://app:pw@search.example:9200"),
    ("rabbitmq", "amqps://app:pw@bus.example/vhost"),
]


@pytest.mark.parametrize(("store", "url"), SOUND)
def test_a_sound_url_makes_a_connection_without_a_loop(store: str, url: str) -> None:
    assert CONNECT[store](Target(store, url), SYSTEM).store == store


@pytest.mark.parametrize("store", CONNECT)
@pytest.mark.parametrize(
    "url", [f"ftp://u:{CANARY}@host", CANARY, "", f"://u:{CANARY}@host", f"u:{CANARY}@host:1"]
)
def test_another_scheme_is_a_usage_error(store: str, url: str) -> None:
    with pytest.raises(
        UsageError, match=f"^{store.upper()}_URL is not a URL of {store}:"
    ) as caught:
        CONNECT[store](Target(store, url), SYSTEM)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("store", "scheme"),
    [
        ("postgres", "postgresql"),
        ("mongodb", "mongodb"),
        ("redis", "redis"),
        ("dynamodb", "http"),
        ("opensearch", "https"),
        ("rabbitmq", "amqp"),
    ],
)
@pytest.mark.parametrize(
    "rest", [f"u:{CANARY}@", f"u:{CANARY}@host:0", f"u:{CANARY}@host:99999", f"host:{CANARY}"]
)
def test_an_address_that_makes_no_sense_is_a_usage_error(
    store: str, scheme: str, rest: str
) -> None:
    with pytest.raises(UsageError) as caught:
        CONNECT[store](Target(store, f"{scheme}://{rest}"), SYSTEM)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("url", "split"),
    [
        ("redis://h:1?cluster=true", ("redis://h:1?", True)),
        ("redis://h:1?cluster=TRUE&protocol=3", ("redis://h:1?protocol=3", True)),
        ("redis://h:1?protocol=3&cluster=false", ("redis://h:1?protocol=3", False)),
        ("unix:///run/redis.sock?db=2", ("unix:///run/redis.sock?db=2", False)),
    ],
)
def test_the_cluster_parameter_of_redis_is_ours(url: str, split: tuple[str, bool]) -> None:
    assert _split(url) == split


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("http://127.0.0.1:8000?region=eu-west-1", "eu-west-1"),
        ("https://dynamodb.us-east-2.amazonaws.com", "us-east-2"),
        ("https://dynamodb.us-east-2.amazonaws.com?region=eu-west-1", "eu-west-1"),
        ("https://vpce-1.dynamodb.us-east-2.vpce.amazonaws.com?region=us-east-2", "us-east-2"),
        ("http://localhost:8000", None),
        ("https://amazonaws.com", None),
    ],
)
def test_the_region_of_dynamodb_is_in_its_url(url: str, region: str | None) -> None:
    assert _region(Target("dynamodb", url).parts("http", "https")) == region
