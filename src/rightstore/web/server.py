"""Listen, serve one ASGI program, and stop without dropping what was accepted.

One process, one event loop; more of them run side by side. It starts no store.
"""

import asyncio
import errno
import gc
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from rightstore.errors import UsageError
from rightstore.web.lifespan import Lifespan
from rightstore.web.protocol import BoundedProtocol

logger = structlog.get_logger(__name__)
BACKLOG = 2048
CONNECTIONS = 10_000
# Longer than what load balancers and clients keep an idle connection: they close it, not we.
KEEP_ALIVE = 75
# What is there after the start stays: the collector need not look at it again and again.
THRESHOLDS = (20_000, 50, 50)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """uvicorn's server, which ends with a return after a signal, and says when it serves."""

    def __init__(
        self, program: ASGIApp, *, grace: float, on_ready: Callable[[], None] | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                program,
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=math.ceil(grace),
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections."""
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT; unlike uvicorn's own, do not raise them again afterwards."""
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def serve(
    program: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 8008,
    fd: int | None = None,
    grace: float = 10.0,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish within `grace` seconds and return.

    The port is taken before the program starts. `fd` is a socket that listens already and wins over
    host and port. `on_ready` gets the URL when requests are answered.
    """
    listener = listen(host, port) if fd is None else socket.socket(fileno=fd)
    url = _url(listener)
    lifespan = Lifespan(program)
    server = Server(program, grace=grace, on_ready=lambda: on_ready(url) if on_ready else None)
    try:
        await lifespan.start()
        try:
            with _settled_memory():
                await server.serve([listener])
        finally:
            await _stop(lifespan, max(grace, 1.0))
    finally:
        listener.close()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; from now on nobody else can have the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UsageError(_remedy(error, host, port)) from error


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop of the fast kind: `asyncio.Runner(loop_factory=new_loop)`."""
    return uvloop.new_event_loop()


def _remedy(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken: stop what listens there, or choose another (--port)"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs rights that this user has not: choose one above 1023 (--port)"
    return f"{host} is no address of this machine: correct RIGHTSTORE_HOST"


def _url(listener: socket.socket) -> str:
    address = listener.getsockname()
    if not isinstance(address, tuple):
        return f"unix:{address}"
    host = f"[{address[0]}]" if listener.family == socket.AF_INET6 else address[0]
    return f"http://{host}:{address[1]}"


async def _stop(lifespan: Lifespan, patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            await lifespan.stop()
    except TimeoutError:
        logger.error("the applications did not stop in time", seconds=patience)
        await lifespan.abort()


@contextmanager
def _settled_memory() -> Iterator[None]:
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
