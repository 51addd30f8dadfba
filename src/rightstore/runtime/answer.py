"""Whether a web server answers at all. It judges no content."""

import asyncio
from collections.abc import Awaitable, Callable

from rightstore.errors import UnavailableError

PATIENCE = 5.0


def answers_http(host: str, port: int, path: str) -> Callable[[], Awaitable[None]]:
    """Return a probe that returns when a GET of the path is answered with 200."""

    async def probe() -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                status = await _status(host, port, path)
        except (OSError, TimeoutError) as error:
            raise _not_yet(f"nothing answers at {host}:{port}") from error
        if status != b"200":
            raise _not_yet(f"{host}:{port}{path} does not answer with 200")

    return probe


async def _status(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        line = await reader.readline()
        return line[9:12]
    finally:
        writer.close()


def _not_yet(message: str) -> UnavailableError:
    return UnavailableError(message, store="web", operation="start", outcome="not applied")
