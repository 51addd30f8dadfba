"""The life of a stack without servers: its order, its state, its alarms."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from rightstore.clock import SYSTEM
from rightstore.embedded.home import Home, read_json
from rightstore.embedded.stack import Plan, Stack
from rightstore.embedded.state import State, read_state
from rightstore.errors import UnavailableError, UnsupportedError
from rightstore.ports.bootstrap import Owner
from rightstore.ports.connection import Pong, Target
from rightstore.runtime.process import Command, born
from rightstore.runtime.supervisor import Program
from rightstore.testing.wait import until

SLEEPER = (sys.executable, "-S", "-c", "import signal; signal.pause()")


class NoHands:
    async def ping(self, target: Target) -> Pong:
        raise AssertionError("there is no server")

    async def bootstrap(self, target: Target, owner: Owner) -> None:
        raise AssertionError("there is no server")


class SteppedClock:
    """Real time, but long pauses last until the test says so."""

    def __init__(self) -> None:
        self.step = asyncio.Event()

    def now(self) -> datetime:
        return SYSTEM.now()

    def monotonic(self) -> float:
        return SYSTEM.monotonic()

    async def sleep(self, seconds: float) -> None:
        if seconds < 20:
            await SYSTEM.sleep(seconds)
        else:
            await self.step.wait()
            self.step.clear()


class SmallDisk(Home):
    """A home whose disk is as full as the test says."""

    left = 1 << 40

    def free(self) -> int:
        return self.left


def program(home: Home, name: str, *argv: str, ready: Callable[[], None] = lambda: None) -> Program:
    async def probe() -> None:
        ready()

    return Program(Command(name, argv or SLEEPER, home.path, home.log(name)), probe)


@asynccontextmanager
async def running(stack: Stack) -> AsyncIterator[None]:
    stopping, started = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(stack.run(stopping, started.set))
    await until(lambda: started.is_set() or task.done())
    yield
    stopping.set()
    await task


async def test_programs_start_one_after_the_other_and_end_with_the_stack(tmp_path: Path) -> None:
    home = Home(tmp_path)
    said: list[str] = []
    plan = Plan(frozenset(), (program(home, "one"), program(home, "two")))
    stack = Stack(home, plan, NoHands(), report=said.append)

    async with running(stack):
        state = read_state(home)

    assert state == stack_state(state)
    assert [line.partition(":")[0] for line in said] == ["one", "two"]
    assert state is not None
    assert state.phase == "ready"
    assert [each.name for each in state.programs] == ["one", "two"]
    assert all(born(each.pid) == 0 for each in state.programs if each.pid is not None)
    assert read_state(home) is None
    assert not home.secrets.exists()


def stack_state(state: State | None) -> State | None:
    """Return what is left of a state after it was written and read again."""
    return State.of_record(state.as_record()) if state else None


async def test_the_first_failure_ends_what_was_started(tmp_path: Path) -> None:
    home = Home(tmp_path)
    pids: list[int | None] = []

    def never() -> None:
        record = read_json(home.state) or {}
        pids.extend(each["pid"] for each in record["programs"])
        raise UnavailableError("not yet", store="two", operation="ping")

    failing = program(home, "two", "/bin/false", ready=never)
    stack = Stack(home, Plan(frozenset(), (program(home, "one"), failing)), NoHands())

    with pytest.raises(UnavailableError, match="two ended with code 1 while starting"):
        await stack.run(asyncio.Event())

    assert pids
    assert all(born(pid) == 0 for pid in pids if pid is not None)
    assert read_state(home) is None


async def test_a_stop_while_starting_is_no_failure(tmp_path: Path) -> None:
    home = Home(tmp_path)
    stopping = asyncio.Event()

    def never() -> None:
        stopping.set()
        raise UnavailableError("not yet", store="one", operation="ping")

    stack = Stack(home, Plan(frozenset(), (program(home, "one", ready=never),)), NoHands())

    await stack.run(stopping, lambda: pytest.fail("it never was ready"))

    assert read_state(home) is None


async def test_a_cancelled_stack_leaves_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    stack = Stack(home, Plan(frozenset(), (program(home, "one"),)), NoHands())
    started = asyncio.Event()
    task = asyncio.create_task(stack.run(asyncio.Event(), started.set))
    await started.wait()
    (one,) = stack.state().programs

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert one.pid is not None
    assert born(one.pid) == 0
    assert read_state(home) is None


async def test_a_disk_that_fills_up_sounds_an_alarm_until_there_is_room(tmp_path: Path) -> None:
    home, clock = SmallDisk(tmp_path), SteppedClock()
    stack = Stack(home, Plan(frozenset(), (program(home, "one"),)), NoHands(), clock=clock)

    async with running(stack):
        before = stack.state().alarms
        home.left = 500 * 1024 * 1024
        clock.step.set()
        await until(lambda: stack.state().alarms)
        (sounding,) = stack.state().alarms
        seen = read_state(home)
        home.left = 600 * 1024 * 1024
        clock.step.set()
        await until(lambda: not stack.state().alarms)

    assert before == ()
    assert (sounding.alarm, sounding.subject) == ("disk-low", "home")
    assert "500 MiB" in sounding.detail
    assert seen is not None
    assert [each.alarm for each in seen.alarms] == ["disk-low"]


async def test_another_platform_is_told_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    stack = Stack(Home(tmp_path / "home"), Plan(frozenset({"redis"})), NoHands())

    with pytest.raises(UnsupportedError, match="need Linux, this is darwin: set POSTGRES_URL"):
        await stack.run(asyncio.Event())

    assert not (tmp_path / "home").exists()
