"""How checkups judge settings that a test must not make on a shared server."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pytest

from rightstore.adapters.dynamodb.checkup import DynamodbCheckup
from rightstore.adapters.dynamodb.client import DynamodbConnection
from rightstore.adapters.mongodb.checkup import MongodbCheckup
from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.opensearch.checkup import OpensearchCheckup
from rightstore.adapters.opensearch.client import OpensearchConnection
from rightstore.adapters.postgres.checkup import PostgresCheckup
from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.redis.checkup import RedisCheckup
from rightstore.adapters.redis.client import RedisConnection
from rightstore.clock import SYSTEM
from rightstore.ports.checkup import Finding
from rightstore.ports.connection import Target

FAR = "far.example:1"
SAFE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_level": "replica"}


def postgres(url: str = f"postgresql://{FAR}/d") -> PostgresCheckup:
    return PostgresCheckup(PostgresConnection(Target("postgres", url), SYSTEM), SYSTEM)


def redis(url: str = f"redis://{FAR}") -> RedisCheckup:
    return RedisCheckup(RedisConnection(Target("redis", url), SYSTEM), SYSTEM)


def mongodb(url: str = f"mongodb://{FAR}") -> MongodbCheckup:
    return MongodbCheckup(MongodbConnection(Target("mongodb", url), SYSTEM), SYSTEM)


def dynamodb(url: str) -> DynamodbCheckup:
    return DynamodbCheckup(DynamodbConnection(Target("dynamodb", url), SYSTEM), SYSTEM)


def opensearch(url: str = f"http://{FAR}") -> OpensearchCheckup:
    return OpensearchCheckup(OpensearchConnection(Target("opensearch", url), SYSTEM), SYSTEM)


def levels(found: Iterable[Finding]) -> Mapping[str, str]:
    findings = list(found)
    for finding in findings:
        assert bool(finding.remedy) == (finding.level != "ok")
    return {finding.subject: finding.level for finding in findings}


def test_a_durable_postgres_is_well() -> None:
    assert set(levels(postgres()._durability(SAFE)).values()) == {"ok"}


@pytest.mark.parametrize("name", ["fsync", "synchronous_commit", "full_page_writes"])
def test_a_postgres_that_may_lose_commits_is_an_error(name: str) -> None:
    assert levels(postgres()._durability(SAFE | {name: "off"}))[name] == "error"


def test_a_postgres_without_archivable_log_is_a_warning() -> None:
    assert levels(postgres()._durability(SAFE | {"wal_level": "minimal"}))["wal_level"] == "warning"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"may_create": True, "is_superuser": False}, {"rights": "ok"}),
        ({"may_create": False, "is_superuser": False}, {"rights": "warning"}),
        (
            {"may_create": True, "is_superuser": True},
            {"rights": "ok", "superuser": "warning"},
        ),
    ],
)
def test_the_rights_in_postgres_are_judged(
    facts: Mapping[str, bool], expected: Mapping[str, str]
) -> None:
    assert levels(postgres()._rights(facts)) == expected


def test_a_database_of_another_encoding_is_an_error() -> None:
    assert postgres()._encoding({"encoding": "SQL_ASCII"}).level == "error"


@pytest.mark.parametrize(
    ("url", "encrypted", "level"),
    [
        (f"postgresql://{FAR}/d", False, "warning"),
        (f"postgresql://{FAR}/d", True, "ok"),
        ("postgresql://127.0.0.1/d", False, "ok"),
    ],
)
def test_only_a_way_out_of_the_machine_needs_tls(url: str, encrypted: bool, level: str) -> None:
    assert postgres(url)._encryption({"is_encrypted": encrypted}).level == level


@pytest.mark.parametrize(
    ("settings", "level"),
    [
        (None, "warning"),
        ({"maxmemory": "0", "maxmemory-policy": "noeviction"}, "ok"),
        ({"maxmemory": "1048576", "maxmemory-policy": "noeviction"}, "warning"),
        ({"maxmemory": "1048576", "maxmemory-policy": "allkeys-lru"}, "ok"),
        ({"maxmemory": "1048576", "maxmemory-policy": "volatile-lru"}, "ok"),
    ],
)
def test_a_redis_that_refuses_writes_when_full_is_a_warning(
    settings: Mapping[str, str] | None, level: str
) -> None:
    assert levels([redis()._memory(settings)]) == {"maxmemory-policy": level}


def test_a_redis_whose_disk_failed_is_an_error() -> None:
    findings = redis()._persistence({"aof_enabled": 1, "aof_last_write_status": "err"})

    assert levels(findings) == {"persistence": "ok", "aof_last_write_status": "error"}


@pytest.mark.parametrize(
    ("url", "password", "encryption"),
    [
        (f"redis://{FAR}", "warning", "warning"),
        (f"redis://:pw@{FAR}", "ok", "warning"),
        (f"rediss://:pw@{FAR}", "ok", "ok"),
        ("redis://localhost", "ok", "ok"),
        ("unix:///run/redis.sock", "ok", "ok"),
    ],
)
def test_only_a_redis_out_of_the_machine_needs_password_and_tls(
    url: str, password: str, encryption: str
) -> None:
    found = levels(redis(url)._access())

    assert found == {"password": password, "encryption": encryption}


async def test_a_mongodb_that_is_no_replica_set_is_an_error() -> None:
    found = await mongodb()._changes({"isWritablePrimary": True})

    assert found.level == "error"
    assert "--replSet" in found.remedy


def test_the_embedded_server_says_that_it_is_not_mongodb() -> None:
    found = list(mongodb()._server({"version": "8.2.11", "secantusVersion": "0.5"}))

    assert levels(found) == {"version": "ok", "server": "ok"}
    assert "not MongoDB" in found[1].message


@pytest.mark.parametrize(
    ("url", "level"),
    [
        (f"mongodb://{FAR}", "warning"),
        (f"mongodb://{FAR}/?tls=true", "ok"),
        ("mongodb+srv://far.example", "ok"),
        ("mongodb://localhost", "ok"),
    ],
)
def test_the_way_to_mongodb_is_judged(url: str, level: str) -> None:
    assert mongodb(url)._encryption().level == level


def test_a_dynamodb_that_tells_no_time_is_a_warning() -> None:
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    checkup = dynamodb(f"http://{FAR}")

    assert checkup._clocks(None, noon, noon).level == "warning"
    assert checkup._clocks("Tue, 01 Jan 2030 12:00:00 GMT", noon, noon).level == "ok"
    assert checkup._clocks("Tue, 01 Jan 2030 11:00:00 GMT", noon, noon).level == "warning"


@pytest.mark.parametrize(
    ("status", "nodes", "level"),
    [("green", 3, "ok"), ("yellow", 1, "ok"), ("yellow", 3, "warning"), ("red", 1, "error")],
)
def test_the_health_of_opensearch_is_judged(status: str, nodes: int, level: str) -> None:
    health = {"status": status, "number_of_nodes": nodes, "unassigned_shards": 1}

    assert opensearch()._health(health).level == level


@pytest.mark.parametrize(("available", "level"), [(50, "ok"), (11, "ok"), (10, "warning")])
def test_a_full_disk_of_opensearch_is_a_warning(available: int, level: str) -> None:
    total = {"available_in_bytes": available, "total_in_bytes": 100}

    assert opensearch()._disk({"name": "n", "fs": {"total": total}}).level == level


def test_another_server_that_speaks_its_protocol_is_an_error() -> None:
    assert opensearch()._version({"number": "8.15.0"}).level == "error"
    assert opensearch()._version({"number": "2.19.4", "distribution": "opensearch"}).level == "ok"
