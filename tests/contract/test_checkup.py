"""The port `checkup` on every adapter and its real server.

It cannot catch a bad setting that a test must not make on a shared server: tests/unit does.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.contract.conftest import CONNECT

from rightstore.adapters.dynamodb.checkup import DynamodbCheckup
from rightstore.adapters.mongodb.checkup import MongodbCheckup
from rightstore.adapters.opensearch.checkup import OpensearchCheckup
from rightstore.adapters.postgres.checkup import PostgresCheckup
from rightstore.adapters.rabbitmq.checkup import RabbitmqCheckup
from rightstore.adapters.redis.checkup import RedisCheckup
from rightstore.clock import SYSTEM, Clock
from rightstore.errors import DeadlineError, UnavailableError
from rightstore.ports.checkup import Checkup, Finding
from rightstore.ports.connection import Connection, Target
from rightstore.testing.clock import VirtualClock
from rightstore.testing.proxy import Proxy

CHECKUP: Mapping[str, Callable[..., Checkup]] = {
    "postgres": PostgresCheckup,
    "mongodb": MongodbCheckup,
    "redis": RedisCheckup,
    "dynamodb": DynamodbCheckup,
    "opensearch": OpensearchCheckup,
    "rabbitmq": RabbitmqCheckup,
}
Examine = Callable[..., Any]


@pytest.fixture
async def opened(store: str) -> AsyncIterator[Callable[..., Any]]:
    """Open a connection to a URL, and close it after the test."""
    made: list[Connection] = []

    async def build(url: str, **options: Any) -> Connection:
        target = Target(store, url, **{"connect_timeout": 2.0, "timeout": 2.0} | options)
        connection = CONNECT[store](target, SYSTEM)
        made.append(connection)
        await connection.open()
        return connection

    yield build
    for connection in made:
        await connection.close()


@pytest.fixture
def examine(store: str, opened: Callable[..., Any]) -> Examine:
    """Open a connection to a URL and examine the server."""

    async def run(url: str, clock: Clock = SYSTEM, **options: Any) -> Sequence[Finding]:
        return await CHECKUP[store](await opened(url, **options), clock).examine()

    return run


def about(findings: Sequence[Finding], subject: str) -> Finding:
    [found] = [finding for finding in findings if finding.subject == subject]
    return found


async def test_a_server_of_the_tests_has_no_error(url: str, examine: Examine) -> None:
    findings = await examine(url)

    assert [finding for finding in findings if finding.level == "error"] == []


async def test_whatever_is_not_well_has_a_remedy(url: str, examine: Examine) -> None:
    findings = await examine(url)

    assert all(finding.remedy for finding in findings if finding.level != "ok")


async def test_each_finding_is_one_line_without_the_secret(url: str, examine: Examine) -> None:
    findings = await examine(url)

    secret = urlsplit(url).password or "no password"
    for finding in findings:
        assert "\n" not in finding.message
        assert secret not in repr(finding)


async def test_most_questions_are_about_different_things(
    store: str, url: str, examine: Examine
) -> None:
    findings = await examine(url)

    subjects = [finding.subject for finding in findings if finding.subject != "disk"]
    assert len(subjects) == len(set(subjects))
    assert len(subjects) >= 4


@pytest.mark.parametrize(
    "store", ["postgres", "mongodb", "redis", "opensearch", "dynamodb"], indirect=True
)
async def test_a_clock_that_differs_is_a_warning(url: str, examine: Examine) -> None:
    with VirtualClock() as years_ahead:
        findings = await examine(url, years_ahead)

    assert about(findings, "clock").level == "warning"


@pytest.mark.parametrize(
    "store", ["postgres", "mongodb", "redis", "opensearch", "rabbitmq"], indirect=True
)
async def test_the_version_is_judged(url: str, examine: Examine) -> None:
    findings = await examine(url)

    assert about(findings, "version").level == "ok"


async def test_a_server_that_goes_away_meanwhile_is_unavailable(
    store: str, proxied: str, proxy: Proxy, opened: Callable[..., Any]
) -> None:
    connection = await opened(proxied)
    proxy.refuse()
    proxy.reset()

    with pytest.raises(UnavailableError):
        await CHECKUP[store](connection, SYSTEM).examine()


async def test_a_server_that_falls_silent_meanwhile_is_a_deadline(
    store: str, proxied: str, proxy: Proxy, opened: Callable[..., Any]
) -> None:
    connection = await opened(proxied)
    proxy.to_client.black_hole = True

    with pytest.raises(DeadlineError):
        await CHECKUP[store](connection, SYSTEM).examine()


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
async def test_commits_that_are_not_synced_are_an_error(url: str, examine: Examine) -> None:
    joint = "&" if "?" in url else "?"

    findings = await examine(f"{url}{joint}synchronous_commit=off")

    assert about(findings, "synchronous_commit").level == "error"


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
async def test_a_pool_larger_than_the_server_is_an_error(url: str, examine: Examine) -> None:
    findings = await examine(url, pool_max=5_000)

    assert about(findings, "max_connections").level == "error"


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
async def test_the_pool_of_records_and_that_of_tables_are_counted(
    url: str, examine: Examine
) -> None:
    session = await asyncpg.connect(url)
    most = int(await session.fetchval("SHOW max_connections"))
    await session.close()

    half = about(await examine(url, pool_max=most // 2), "max_connections")
    third = about(await examine(url, pool_max=most // 3), "max_connections")

    assert half.level == "error"
    assert third.level == "ok"
    assert "enough for 1 processes" in third.message
