"""The port `connection` on every adapter and its real server.

It cannot catch what a driver does in the background after the test, nor a server that lies.
"""

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from tests.contract.conftest import PATIENCE, Make

from rightstore.clock import SYSTEM
from rightstore.errors import (
    DeadlineError,
    RejectedError,
    StoreError,
    UnavailableError,
    UsageError,
)
from rightstore.ports.connection import Connection
from rightstore.testing.proxy import HOST, Proxy

CANARY = "canary-7f3a"
# What a driver may take to load its own files, and a busy machine.
SLACK = 1.0


@pytest.fixture
async def black_hole() -> AsyncIterator[int]:
    """The port of a server that takes connections and never says a word."""
    ended = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(listen, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]
        ended.set()


@pytest.fixture
async def unauthorized() -> AsyncIterator[int]:
    """The port of an HTTP server that takes nobody's password."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
            await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(refuse, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens: privileged, and of a service long gone."""
    return 1


def stranger(store: str, port: int) -> str:
    """The URL of somebody whom no server knows."""
    tails = {
        "postgres": "/database",
        "dynamodb": "?region=eu-west-1",
        "mongodb": "/?directConnection=true",
        "rabbitmq": "/%2F",
    }
    schemes = {"postgres": "postgresql", "rabbitmq": "amqp", "mongodb": "mongodb", "redis": "redis"}
    scheme = schemes.get(store, "http")
    return f"{scheme}://no-body:{CANARY}@{HOST}:{port}{tails.get(store, '')}"


def with_wrong_password(url: str) -> str:
    """The URL for a user whom the server does not know."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"no-body:{CANARY}@{address}").geturl()


def assert_keeps_the_secret(error: BaseException) -> None:
    for text in (str(error), repr(error), "".join(traceback.format_exception(error))):
        assert CANARY not in text


def assert_is_told(error: StoreError, store: str, operation: str) -> None:
    assert (error.store, error.operation, error.outcome) == (store, operation, "not applied")
    assert str(error).startswith(f"{store} at {HOST}:")
    assert "\n" not in str(error)
    assert_keeps_the_secret(error)


async def test_an_open_connection_tells_version_and_latency(url: str, make: Make) -> None:
    connection = make(url)

    await connection.open()
    pong = await connection.ping()

    assert pong.version
    assert 0 < pong.latency < PATIENCE


async def test_it_knows_the_name_of_its_store(store: str, make: Make, closed_port: int) -> None:
    assert make(stranger(store, closed_port)).store == store


async def test_a_ping_before_open_is_a_usage_error(
    store: str, make: Make, closed_port: int
) -> None:
    connection = make(stranger(store, closed_port))

    with pytest.raises(UsageError, match="not open"):
        await connection.ping()


async def test_a_second_open_is_a_usage_error(url: str, make: Make) -> None:
    connection = make(url)
    await connection.open()

    with pytest.raises(UsageError, match="open already"):
        await connection.open()


async def test_it_can_be_closed_twice_and_opened_again(url: str, make: Make) -> None:
    connection = make(url)
    await connection.open()

    await connection.close()
    await connection.close()
    await connection.open()

    assert (await connection.ping()).version


async def test_a_closed_connection_is_not_open(url: str, make: Make) -> None:
    connection = make(url)
    await connection.open()

    await connection.close()

    with pytest.raises(UsageError, match="not open"):
        await connection.ping()


async def test_a_wrong_password_is_rejected(
    store: str, proxied: str, unauthorized: int, *, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    # This server has no users: it is the full archive that has the plugin for them.
    url = stranger(store, unauthorized) if store == "opensearch" else with_wrong_password(proxied)
    connection = make(url)

    with pytest.raises(RejectedError) as caught:
        await connection.open()

    assert_is_told(caught.value, store, "open")
    assert CANARY not in caplog.text


async def test_a_port_where_nobody_listens_is_unavailable(
    store: str, make: Make, closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    connection = make(stranger(store, closed_port))
    before = SYSTEM.monotonic()

    with pytest.raises(UnavailableError) as caught:
        await connection.open()

    assert SYSTEM.monotonic() - before < PATIENCE + SLACK
    assert_is_told(caught.value, store, "open")
    assert CANARY not in caplog.text


async def test_a_silent_server_is_a_deadline(
    store: str, make: Make, black_hole: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    connection = make(stranger(store, black_hole))
    before = SYSTEM.monotonic()

    with pytest.raises(DeadlineError) as caught:
        await connection.open()

    assert SYSTEM.monotonic() - before < PATIENCE + SLACK
    assert_is_told(caught.value, store, "open")
    assert CANARY not in caplog.text


async def test_a_failed_open_can_be_tried_again(proxied: str, proxy: Proxy, make: Make) -> None:
    connection = make(proxied)
    proxy.refuse()
    with pytest.raises(UnavailableError):
        await connection.open()

    await proxy.heal()
    await connection.open()

    assert (await connection.ping()).version


async def test_the_next_ping_after_a_cut_connection_is_answered(
    proxied: str, proxy: Proxy, make: Make
) -> None:
    connection = make(proxied)
    await connection.open()
    await connection.ping()

    proxy.reset()

    assert (await connection.ping()).version


async def test_a_server_that_went_away_is_unavailable_until_it_is_back(
    store: str, proxied: str, proxy: Proxy, make: Make
) -> None:
    connection = make(proxied)
    await connection.open()
    proxy.refuse()
    proxy.reset()

    with pytest.raises(UnavailableError) as caught:
        await connection.ping()
    await proxy.heal()

    assert_is_told(caught.value, store, "ping")
    assert (await connection.ping()).version


async def test_a_server_that_falls_silent_is_a_deadline_until_it_speaks(
    store: str, proxied: str, proxy: Proxy, make: Make
) -> None:
    connection = make(proxied)
    await connection.open()
    proxy.to_client.black_hole = True
    before = SYSTEM.monotonic()

    with pytest.raises(DeadlineError) as caught:
        await connection.ping()
    took = SYSTEM.monotonic() - before
    await proxy.heal()
    proxy.reset()

    assert took < PATIENCE + SLACK
    assert_is_told(caught.value, store, "ping")
    assert (await connection.ping()).version


async def test_closing_before_a_silent_server_ends_within_the_timeout(
    proxied: str, proxy: Proxy, make: Make
) -> None:
    connection = make(proxied)
    await connection.open()
    proxy.to_client.black_hole = True
    proxy.to_server.black_hole = True
    before = SYSTEM.monotonic()

    await connection.close()

    assert SYSTEM.monotonic() - before < PATIENCE + SLACK


async def test_a_cancelled_ping_is_cancelled_and_does_no_harm(
    proxied: str, proxy: Proxy, make: Make
) -> None:
    connection = make(proxied)
    await connection.open()
    proxy.to_client.pause()
    waiting = asyncio.create_task(connection.ping())
    await SYSTEM.sleep(0.05)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    proxy.to_client.resume()

    assert (await connection.ping()).version


async def test_a_cancelled_open_is_cancelled_and_leaves_nothing_open(
    store: str, make: Make, black_hole: int
) -> None:
    connection = make(stranger(store, black_hole))
    waiting = asyncio.create_task(connection.open())
    await SYSTEM.sleep(0.05)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


# The sockets that PyMongo forgets (see `collect` at the top); ours have other warnings.
@pytest.mark.filterwarnings(r"ignore:unclosed <socket\.socket:ResourceWarning")
async def test_a_cancellation_at_any_moment_is_kept(url: str, make: Make) -> None:
    lost = []
    for moment in range(40):
        connection = make(url)
        task = asyncio.create_task(use(connection))
        await SYSTEM.sleep(moment * 0.0004)
        ended = task.done()

        task.cancel()
        await asyncio.wait([task])

        if not ended and not task.cancelled():
            lost.append(moment)
        await connection.close()
    assert lost == []


async def use(connection: Connection) -> None:
    await connection.open()
    await connection.ping()


async def test_pings_side_by_side_after_a_cut_are_all_answered(
    proxied: str, proxy: Proxy, make: Make
) -> None:
    connection = make(proxied)
    await connection.open()
    proxy.reset()

    pongs = await asyncio.gather(*(connection.ping() for _ in range(8)))

    assert len({pong.version for pong in pongs}) == 1


@pytest.mark.parametrize(
    ("store", "option"),
    [("postgres", "sslmode"), ("mongodb", "authMechanism"), ("redis", "socket_timeout")],
    indirect=["store"],
)
async def test_an_option_that_the_driver_refuses_is_told_without_its_value(
    store: str, option: str, *, url: str, make: Make
) -> None:
    base, _, query = url.partition("?")

    with pytest.raises(UsageError) as caught:
        await make(f"{base}?{urlencode(dict(parse_qsl(query)) | {option: CANARY})}").open()

    assert f"{store.upper()}_URL" in str(caught.value)
    assert_keeps_the_secret(caught.value)
