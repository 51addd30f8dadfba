"""The server as a process of its own: signals, ports, what it finishes before it ends."""

import asyncio
import resource
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from textwrap import dedent

import pytest
from httpx import AsyncClient

from rightstore.clock import SYSTEM
from rightstore.errors import UsageError
from rightstore.testing.wait import until
from rightstore.web.server import listen

PROGRAM = dedent("""
    import asyncio, pathlib, resource, sys, threading
    from contextlib import asynccontextmanager
    from fastapi import FastAPI
    from rightstore.errors import RightstoreError
    from rightstore.runtime.health import Health
    from rightstore.telemetry import log
    from rightstore.telemetry.alarm import Alarms
    from rightstore.testing.wait import until
    from rightstore.web.application import Application
    from rightstore.web.assemble import assemble
    from rightstore.web.server import new_loop, serve

    mode, folder, grace = sys.argv[1], pathlib.Path(sys.argv[2]), float(sys.argv[3])

    async def lifespan(api):
        if mode == "broken":
            raise ValueError("nothing works")
        yield
        (folder / "stopped").touch()
        if mode == "stuck":
            await asyncio.Event().wait()

    api = FastAPI(lifespan=asynccontextmanager(lifespan))

    @api.get("/slow")
    async def slow() -> str:
        (folder / "begun").touch()
        await until((folder / "go").exists, seconds=60)
        return "finished"

    @api.get("/spin")
    async def spin() -> None:
        (folder / "begun").touch()
        while True:
            pass

    @api.get("/block")
    def block() -> None:
        (folder / "begun").touch()
        threading.Event().wait()

    @api.get("/files")
    async def files() -> int:
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    @api.get("/loop")
    async def loop() -> str:
        return type(asyncio.get_running_loop()).__module__

    if mode == "few files":
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    log.configure("json", "info")
    alarms = Alarms()
    shop = Application("shop", api, "/")
    program = assemble([shop], health=Health([], alarms=alarms), alarms=alarms)
    ready = lambda url: print(url, flush=True)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve(program, port=int(sys.argv[4]), grace=grace, on_ready=ready))
    except RightstoreError as error:
        print(error, flush=True)
        sys.exit(2)
""")


class Process:
    def __init__(self, process: asyncio.subprocess.Process, folder: Path, line: str) -> None:
        self.process = process
        self.folder = folder
        self.line = line

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def code(self) -> int:
        async with asyncio.timeout(30):
            return await self.process.wait()


Run = Callable[..., Awaitable[Process]]


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    started: list[asyncio.subprocess.Process] = []

    async def begin(mode: str = "well", *, grace: float = 5.0, port: int = 0) -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, mode, str(tmp_path), str(grace), str(port)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode().strip()
        return Process(process, tmp_path, line)

    yield begin
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_that_was_accepted_is_finished_before_the_end(
    run: Run, number: signal.Signals
) -> None:
    process = await run()
    async with AsyncClient(base_url=process.line, timeout=20) as http:
        slow = asyncio.create_task(http.get("/slow"))
        await until((process.folder / "begun").exists)

        process.end(number)
        await _refused(process.line)
        (process.folder / "go").touch()
        answer = await slow

    assert answer.json() == "finished"
    assert await process.code() == 0
    assert (process.folder / "stopped").exists()


async def test_what_is_not_finished_in_time_is_given_up(run: Run) -> None:
    process = await run(grace=1.0)
    async with AsyncClient(base_url=process.line, timeout=20) as http:
        slow = asyncio.create_task(http.get("/slow"))
        await until((process.folder / "begun").exists)

        process.end(signal.SIGTERM)
        code = await process.code()
        answer = await slow

    assert code == 0
    assert answer.status_code == 500


async def test_idle_connections_do_not_delay_the_end(run: Run) -> None:
    process = await run(grace=60.0)
    async with AsyncClient(base_url=process.line) as http:
        loop = await http.get("/loop")

        process.end(signal.SIGTERM)
        code = await process.code()

    assert code == 0
    assert loop.json() == "uvloop"


async def test_an_application_that_does_not_stop_does_not_hold_the_process(run: Run) -> None:
    process = await run("stuck", grace=0.0)

    process.end(signal.SIGTERM)

    assert await process.code() == 0
    assert (process.folder / "stopped").exists()


async def test_requests_and_applications_share_one_grace(run: Run) -> None:
    process = await run("stuck", grace=4.0)
    async with AsyncClient(base_url=process.line, timeout=20) as http:
        slow = asyncio.create_task(http.get("/slow"))
        await until((process.folder / "begun").exists)
        began = SYSTEM.monotonic()

        process.end(signal.SIGTERM)
        code = await process.code()
        await slow

    assert code == 0
    assert SYSTEM.monotonic() - began < 4 + 2.5


@pytest.mark.parametrize("path", ["/spin", "/block"])
async def test_what_cannot_be_cancelled_does_not_outlive_the_stop(run: Run, path: str) -> None:
    process = await run(grace=0.5)
    async with AsyncClient(base_url=process.line, timeout=20) as http:
        stuck = asyncio.create_task(http.get(path))
        await until((process.folder / "begun").exists)
        began = SYSTEM.monotonic()

        process.end(signal.SIGTERM)
        code = await process.code()
        await asyncio.wait([stuck])
        stuck.exception()

    assert code == 1
    assert SYSTEM.monotonic() - began < 0.5 + 6
    assert process.process.stderr is not None
    assert b"did not stop in time" in await process.process.stderr.read()


async def test_the_limit_of_open_files_is_raised(run: Run) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    process = await run("few files")

    async with AsyncClient(base_url=process.line) as http:
        soft = await http.get("/files")

    assert soft.json() == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536))


async def test_an_application_that_does_not_start_is_one_clear_line(run: Run) -> None:
    process = await run("broken")

    code = await process.code()

    assert process.line == "application shop did not start: ValueError: nothing works"
    assert code == 2


async def test_a_taken_port_is_one_line_with_the_remedy(run: Run) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        process = await run(port=port)
        code = await process.code()

    assert process.line == (
        f"port {port} of 127.0.0.1 is taken: stop what listens there, or choose another (--port)"
    )
    assert code == 2


async def test_the_port_can_be_had_again_at_once(run: Run) -> None:
    first = await run()
    async with AsyncClient(base_url=first.line) as http:
        await http.get("/live")
        first.end(signal.SIGTERM)
        await first.code()

    second = await run(port=int(first.line.rpartition(":")[2]))

    assert second.line == first.line


def test_an_address_of_another_machine_is_one_line_with_the_remedy() -> None:
    with pytest.raises(UsageError, match="RIGHTSTORE_HOST"):
        listen("192.0.2.1", 0)


async def _refused(url: str) -> None:
    """Return when the server takes no new connection."""
    port = int(url.rpartition(":")[2])
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                return
            writer.close()
