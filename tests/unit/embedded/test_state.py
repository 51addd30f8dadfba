"""What is known of a stack that runs, and how it is ended when it cannot do so itself."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rightstore.clock import SYSTEM
from rightstore.embedded.home import Home, take_lock
from rightstore.embedded.stack import Plan, Stack
from rightstore.embedded.state import State, glance, read_state, recorded, stop
from rightstore.ports.bootstrap import Owner
from rightstore.ports.connection import Pong, Target
from rightstore.runtime.process import Command, born
from rightstore.runtime.supervisor import Program
from rightstore.testing.wait import until

# A program that hears no SIGTERM, as a web process does whose loop is blocked.
SUPERVISE = """
import asyncio, signal, sys
from rightstore.embedded.home import Home
from rightstore.embedded.stack import Plan, Stack
from rightstore.runtime.process import Command
from rightstore.runtime.supervisor import Program

home = Home(sys.argv[1])
script = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True)\\nwhile True: signal.pause()"
)
argv = (sys.executable, "-S", "-c", script)
command = Command("web", argv, home.path, home.log("web"), death_signal=signal.SIGTERM)

async def ready():
    if "deaf" not in home.log("web").read_text():
        from rightstore.errors import UnavailableError
        raise UnavailableError("not yet", store="web", operation="ping")

stack = Stack(home, Plan(frozenset(), (Program(command, ready),)), None)
asyncio.run(stack.run(asyncio.Event(), lambda: print("started", flush=True)))
"""


class NoHands:
    async def ping(self, target: Target) -> Pong:
        raise AssertionError("there is no server")

    async def bootstrap(self, target: Target, owner: Owner) -> None:
        raise AssertionError("there is no server")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@pytest.fixture
async def orphan(home: Home) -> AsyncIterator[int]:
    """Return the pid of a program that has outlived its supervisor."""
    supervisor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUPERVISE, str(home.path)), stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    assert await supervisor.stdout.readline() == b"started\n"
    state = read_state(home)
    assert state is not None
    (program,) = state.programs
    assert program.pid is not None
    supervisor.kill()
    await supervisor.wait()
    assert born(program.pid) == program.born
    yield program.pid
    if born(program.pid) == program.born:
        os.kill(program.pid, signal.SIGKILL)


async def test_a_stop_ends_what_a_killed_stack_has_left(home: Home, orphan: int) -> None:
    stopped = await stop(home)

    assert stopped
    assert born(orphan) == 0
    assert not await stop(home)


async def test_a_start_ends_what_a_killed_stack_has_left(home: Home, orphan: int) -> None:
    stopping = asyncio.Event()
    stack = Stack(home, Plan(frozenset()), NoHands())

    await stack.run(stopping, stopping.set)

    assert born(orphan) == 0


async def test_a_pid_that_was_used_again_is_nobody_of_ours(home: Home, orphan: int) -> None:
    record = json.loads(home.state.read_text())
    record["programs"][0]["born"] -= 1
    home.state.write_text(json.dumps(record))

    stopped = await stop(home)

    assert not stopped
    assert born(orphan) != 0


@pytest.mark.parametrize(
    "change", [{"programs": None}, {"since": 1}, {"programs": [{"colour": 1}]}, {"alarms": [1]}]
)
async def test_the_state_of_another_version_is_a_start(home: Home, change: dict[str, Any]) -> None:
    written = State(os.getpid(), "ready", SYSTEM.now()).as_record()
    lock = await take_lock(home, SYSTEM)
    try:
        home.state.write_text(json.dumps(written | change))

        state = read_state(home)

        assert state is not None
        assert (state.pid, state.phase) == (os.getpid(), "starting")
        assert glance(home) is None
    finally:
        os.close(lock)


async def test_a_state_without_a_key_is_a_start(home: Home) -> None:
    lock = await take_lock(home, SYSTEM)
    try:
        home.state.write_text(json.dumps({"pid": os.getpid()}))

        state = read_state(home)

        assert state is not None
        assert state.phase == "starting"
    finally:
        os.close(lock)


async def test_a_glance_sees_what_runs_and_nothing_else(home: Home) -> None:
    stopping = asyncio.Event()
    stack, seen = Stack(home, Plan(frozenset()), NoHands()), []

    def look() -> None:
        seen.append(glance(home))
        stopping.set()

    before = glance(home)
    await stack.run(stopping, look)

    assert [each.phase for each in seen if each is not None] == ["ready"]
    assert before is None
    assert glance(home) is None
    home.state.write_text("{")
    assert glance(home) is None
    assert glance(Home(home.path / "nowhere")) is None


async def test_a_stop_may_take_as_long_as_the_graces_together(home: Home) -> None:
    async def ready() -> None:
        pass

    argv = (sys.executable, "-S", "-c", "import signal; signal.pause()")
    slow = Command("web", argv, home.path, home.log("web"), grace=120.0)
    stack = Stack(home, Plan(frozenset(), (Program(slow, ready),)), NoHands())
    stopping = asyncio.Event()
    task = asyncio.create_task(stack.run(stopping))
    await until(lambda: stack.state().phase == "ready")

    state = read_state(home)

    stopping.set()
    await task
    assert state is not None
    assert state.stop_within == 125.0


def test_a_state_without_a_bound_has_the_usual_one() -> None:
    record = State(1, "ready", SYSTEM.now()).as_record()
    del record["stop_within"]

    assert State.of_record(record).stop_within == 45.0


def test_what_is_no_json_is_no_state(home: Home) -> None:
    home.state.write_text("")

    assert recorded(home) is None
