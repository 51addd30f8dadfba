"""Listen, serve one ASGI program, and stop without dropping what was accepted.

One process, one event loop; more of them run side by side. It starts no store.
"""

import asyncio
import errno
import gc
import math
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from rightstore.clock import SYSTEM
from rightstore.errors import UsageError
from rightstore.web.lifespan import Lifespan
from rightstore.web.protocol import BoundedProtocol

logger = structlog.get_logger(__name__)
BACKLOG = 2048
CONNECTIONS = 10_000
OPEN_FILES = 65_536
# Longer than what load balancers and clients keep an idle connection: they close it, not we.
KEEP_ALIVE = 75
# What is there after the start stays: the collector need not look at it again and again.
THRESHOLDS = (20_000, 50, 50)
SIGNALS = (signal.SIGTERM, signal.SIGINT)
# What applications get to stop, even when the requests took all the time there was.
LAST_CHANCE = 1.0
# After the grace and this, a process that still does not end is ended.
OVERTIME = 5.0
LAST_WORDS = 0.5


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
        self._grace = grace
        self._began: float | None = None
        # What the watching thread waits for: True, the stop begins; False, it has ended.
        self.signs: SimpleQueue[bool] = SimpleQueue()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections."""
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop: the time for it runs from the first signal on."""
        if self._began is None:
            self._began = SYSTEM.monotonic()
            self.signs.put(True)
        super().handle_exit(sig, frame)

    def rest(self) -> float:
        """Return how many seconds of the grace are left for the applications."""
        spent = 0.0 if self._began is None else SYSTEM.monotonic() - self._began
        return max(self._grace - spent, LAST_CHANCE)

    async def requests_ended(self) -> bool:
        """Return whether the requests that were given up have come to their end."""
        tasks = set(self.server_state.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_CHANCE)
        return not self.server_state.tasks

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
    After a signal, what does not end within the grace and 5 s is ended with the process.
    """
    listener = listen(host, port) if fd is None else socket.socket(fileno=fd)
    url = _url(listener)
    lifespan = Lifespan(program)
    server = Server(program, grace=grace, on_ready=lambda: on_ready(url) if on_ready else None)
    _allow_open_files()
    # Started before any signal comes: what handles one may not start threads.
    limit = grace + OVERTIME
    threading.Thread(target=_watch, args=(server.signs, limit), daemon=True).start()
    try:
        await lifespan.start()
        try:
            with _settled_memory():
                await server.serve([listener])
        finally:
            await _stop(lifespan, server.rest())
    finally:
        listener.close()
        # The loop and the interpreter wait at their end for what still runs: then watch on.
        if await server.requests_ended() and not _workers():
            server.signs.put(False)


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


def _allow_open_files() -> None:
    """Take what the system grants: a soft limit of 1,024 is far below what is served here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _workers() -> bool:
    """Return whether the interpreter would wait for a thread, such as that of a sync endpoint."""
    ours = (threading.main_thread(), threading.current_thread())
    return any(not thread.daemon for thread in threading.enumerate() if thread not in ours)


def _watch(signs: SimpleQueue[bool], seconds: float) -> None:
    """End the process when its stop takes longer, whatever holds the event loop or a thread."""
    if not signs.get():
        return
    try:
        signs.get(timeout=seconds)
    except Empty:
        # The log may be what is stuck.
        last = threading.Timer(LAST_WORDS, os._exit, [1])
        last.daemon = True
        last.start()
        logger.critical("the server did not stop in time and is ended", seconds=seconds)
        os._exit(1)


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
