"""The proxy itself, before a server that repeats what it hears: each fault does what it says."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rightstore.clock import SYSTEM
from rightstore.errors import UsageError
from rightstore.testing.link import Link
from rightstore.testing.proxy import HOST, Proxy
from rightstore.testing.wait import until

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that repeats what it hears and remembers how each connection ended."""

    def __init__(self) -> None:
        self.heard = b""
        self.ends: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while data := await reader.read(1 << 20):
                self.heard += data
                writer.write(data)
                await writer.drain()
            end = "closed"
        except OSError:
            end = "reset"
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self.ends.append(end)

    async def has_heard(self, count: int) -> None:
        await until(lambda: len(self.heard) >= count)

    async def stop(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        await until(lambda: len(self.ends) == len(self.writers))


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """A fresh server; the proxy of a test is closed before it."""
    server = Echo()
    yield server
    await server.stop()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    """A proxy before the server, over TCP."""
    listener = await asyncio.start_server(echo.serve, HOST, 0)
    async with listener, Proxy(*listener.sockets[0].getsockname()) as proxy:
        yield proxy


@asynccontextmanager
async def client(proxy: Proxy) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def exchange(streams: Streams, data: bytes) -> bytes:
    reader, writer = streams
    writer.write(data)
    return await reader.readexactly(len(data))


async def stays_silent(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await reader.read(1)
    except TimeoutError:
        return True
    return False


async def test_bytes_pass_both_ways_and_are_counted(proxy: Proxy, echo: Echo) -> None:
    data = bytes(range(256)) * 4096

    async with client(proxy) as (reader, writer):
        assert await exchange((reader, writer), data) == data
        writer.write_eof()
        assert await reader.read() == b""

    await until(lambda: proxy.open == 0)
    assert proxy.to_server.forwarded == proxy.to_client.forwarded == len(data)
    assert proxy.accepted == 1
    assert echo.ends == ["closed"]


async def test_a_server_on_a_unix_socket_is_reached(echo: Echo) -> None:
    with TemporaryDirectory() as folder:
        path = str(Path(folder, "s"))
        listener = await asyncio.start_unix_server(echo.serve, path)
        async with listener, Proxy(path) as proxy, client(proxy) as streams:
            assert await exchange(streams, b"hello") == b"hello"


async def test_latency_delays_every_byte_and_does_not_add_up(proxy: Proxy) -> None:
    async with client(proxy) as streams:
        await exchange(streams, b"at once")
        proxy.to_server.latency = 0.1
        proxy.to_client.latency = 0.1
        begin = SYSTEM.monotonic()

        for number in range(10):
            streams[1].write(b"%d" % number)
            await SYSTEM.sleep(0)
        assert await streams[0].readexactly(10) == b"0123456789"

        assert 0.2 <= SYSTEM.monotonic() - begin < 1.0


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
async def test_a_black_hole_swallows_one_direction(
    proxy: Proxy, echo: Echo, direction: str
) -> None:
    async with client(proxy) as (reader, writer):
        await exchange((reader, writer), b"before")
        hole = getattr(proxy, direction)
        hole.black_hole = True

        writer.write(b"lost")
        await until(lambda: hole.dropped == 4)

        assert await stays_silent(reader)
        assert echo.heard == (b"before" if direction == "to_server" else b"beforelost")


async def test_a_connection_that_lost_bytes_stays_dead_and_a_new_one_works(
    proxy: Proxy,
) -> None:
    async with client(proxy) as (reader, writer), client(proxy) as idle:
        await exchange(idle, b"idle")
        proxy.to_server.black_hole = True
        writer.write(b"lost")
        await until(lambda: proxy.to_server.dropped == 4)

        await proxy.heal()
        writer.write(b"more")

        await until(lambda: proxy.to_server.dropped == 8)
        assert await stays_silent(reader)
        assert await exchange(idle, b"fine") == b"fine"
        async with client(proxy) as new:
            assert await exchange(new, b"hello") == b"hello"


async def test_the_server_never_learns_that_a_client_in_a_black_hole_has_gone(
    proxy: Proxy, echo: Echo
) -> None:
    async with client(proxy) as streams:
        await exchange(streams, b"hello")
        proxy.to_server.black_hole = True

    with pytest.raises(AssertionError, match="in vain"):
        await until(lambda: echo.ends, seconds=0.05)
    assert proxy.open == 1


async def test_a_pause_loses_nothing(proxy: Proxy) -> None:
    async with client(proxy) as (reader, writer):
        await exchange((reader, writer), b"before")
        proxy.to_client.pause()
        writer.write(b"held")
        writer.write_eof()
        assert await stays_silent(reader)

        proxy.to_client.resume()

        assert await reader.read() == b"held"


async def test_slices_arrive_one_by_one(proxy: Proxy, echo: Echo) -> None:
    proxy.to_client.slice = 3
    pieces: list[bytes] = []

    async with client(proxy) as (reader, writer):
        writer.write(b"0123456789")
        while len(b"".join(pieces)) < 10:
            pieces.append(await reader.read(100))

    assert b"".join(pieces) == b"0123456789" == echo.heard
    assert len(pieces) > 1


@pytest.mark.parametrize("count", [0, 1, 7])
async def test_the_wire_is_cut_after_exactly_so_many_bytes(
    proxy: Proxy, echo: Echo, count: int
) -> None:
    async with client(proxy) as (reader, writer):
        await exchange((reader, writer), b"before")
        proxy.to_client.cut_after(count)

        writer.write(b"0123456789")

        assert await reader.read() == b"0123456789"[:count]
        await until(lambda: echo.ends)
    async with client(proxy) as (reader, writer):
        writer.write(b"again")
        assert await reader.read() == b""
    await proxy.heal()
    async with client(proxy) as streams:
        assert await exchange(streams, b"healed") == b"healed"


async def test_a_cut_on_the_way_to_the_server_stops_what_it_hears(proxy: Proxy, echo: Echo) -> None:
    proxy.to_server.cut_after(4)

    async with client(proxy) as (reader, writer):
        writer.write(b"0123456789")
        await reader.read()

    await until(lambda: echo.ends)
    assert echo.heard == b"0123"


async def test_a_reset_breaks_off_both_ends_and_new_connections_are_welcome(
    proxy: Proxy, echo: Echo
) -> None:
    async with client(proxy) as (reader, writer):
        await exchange((reader, writer), b"before")

        proxy.reset()

        with pytest.raises(ConnectionResetError):
            await reader.read()
        await until(lambda: echo.ends == ["reset"])
    async with client(proxy) as streams:
        assert await exchange(streams, b"hello") == b"hello"


async def test_a_reset_from_the_server_reaches_the_client(proxy: Proxy, echo: Echo) -> None:
    async with client(proxy) as (reader, writer):
        await exchange((reader, writer), b"before")

        linger = (1).to_bytes(4, "little") + bytes(4)
        echo.writers[0].get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )
        echo.writers[0].transport.abort()

        with pytest.raises(ConnectionResetError):
            await reader.read()
        await until(lambda: proxy.open == 0)


async def test_a_receiver_that_has_gone_ends_the_connection(proxy: Proxy, echo: Echo) -> None:
    async with client(proxy) as (reader, writer):
        await exchange((reader, writer), b"before")
        echo.writers[0].transport.abort()
        assert await reader.read() == b""

        while proxy.open:
            writer.write(b"into the void")
            await SYSTEM.sleep(0.001)

    assert proxy.to_client.forwarded == 6


async def test_refused_is_refused_and_open_connections_go_on(proxy: Proxy) -> None:
    async with client(proxy) as streams:
        await exchange(streams, b"before")
        proxy.refuse()
        proxy.refuse()

        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, proxy.port)

        assert await exchange(streams, b"still here") == b"still here"
        await proxy.heal()
        async with client(proxy) as other:
            assert await exchange(other, b"again") == b"again"


async def test_a_client_is_reset_when_there_is_no_server() -> None:
    with TemporaryDirectory() as folder:
        async with Proxy(str(Path(folder, "nobody"))) as proxy, client(proxy) as (reader, _):
            with pytest.raises(ConnectionResetError):
                await reader.read()
            assert proxy.accepted == 1


@pytest.mark.parametrize("marker", [b"COMMIT", b"C"])
@pytest.mark.parametrize("split", range(7))
async def test_replies_are_dropped_from_the_marker_on_wherever_it_is_split(
    proxy: Proxy, echo: Echo, marker: bytes, split: int
) -> None:
    async with client(proxy) as (reader, writer):
        await exchange((reader, writer), b"BEGIN;")
        proxy.drop_replies_after(marker)
        replied = proxy.to_client.forwarded
        for piece in (b"COMMIT"[:split], b"COMMIT"[split:]):
            writer.write(piece)
            await echo.has_heard(len(echo.heard) + len(piece))

        await until(lambda: proxy.to_client.dropped)
        writer.write_eof()

        assert proxy.marked.is_set()
        assert echo.heard == b"BEGIN;COMMIT"
        await until(lambda: echo.ends == ["closed"])
        early = proxy.to_client.forwarded - replied
        assert early <= min(split, len(marker) - 1)
        assert await reader.readexactly(early) == b"COMMIT"[:early]
        assert await stays_silent(reader)


async def test_only_the_connection_that_sent_the_marker_goes_deaf(proxy: Proxy) -> None:
    async with client(proxy) as one, client(proxy) as other:
        await exchange(one, b"BEGIN;")
        proxy.drop_replies_after(b"COMMIT")

        one[1].write(b"COMMIT")
        await asyncio.wait_for(proxy.marked.wait(), 10)

        assert await exchange(other, b"SELECT") == b"SELECT"
        assert await stays_silent(one[0])


async def test_faults_that_mean_nothing_are_refused(proxy: Proxy) -> None:
    with pytest.raises(UsageError, match="marker is empty"):
        proxy.drop_replies_after(b"")
    with pytest.raises(UsageError, match="0 or more bytes"):
        proxy.to_server.cut_after(-1)


async def test_the_end_of_the_block_closes_whatever_is_open(echo: Echo) -> None:
    listener = await asyncio.start_server(echo.serve, HOST, 0)
    address = listener.sockets[0].getsockname()
    async with listener:
        async with Proxy(*address) as proxy:
            streams = [await asyncio.open_connection(HOST, proxy.port) for _ in range(20)]
            proxy.to_client.latency = 60.0
            for _, writer in streams[:10]:
                writer.write(b"x" * 1000)

        assert proxy.open == 0
        for reader, writer in streams:
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
            with suppress(ConnectionResetError):
                await writer.wait_closed()


async def test_a_mistake_inside_is_raised_at_the_end_of_the_block(
    echo: Echo, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Link, "_forward", lambda *_: 1 / 0)

    async def provoke() -> None:
        async with Proxy(HOST, proxy.port) as broken, client(broken) as (reader, writer):
            writer.write(b"hello")
            await reader.read()

    with pytest.raises(ZeroDivisionError):
        await provoke()
