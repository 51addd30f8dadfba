"""Supervision, with small real processes and a clock that notes every pause instead of waiting."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from rightstore.clock import SYSTEM
from rightstore.errors import RejectedError, UnavailableError
from rightstore.runtime.process import Command, born
from rightstore.runtime.supervisor import ALARM_AFTER, STILL_PERIOD, Program, Supervisor, pause
from rightstore.telemetry.alarm import Alarms
from rightstore.testing.wait import until

FOREVER = (sys.executable, "-S", "-c", "import signal; signal.pause()")


class NotingClock:
    """Real time, but a pause of a supervisor is noted and over at once; the alarm's never ends."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.passed = 0.0
        self.waits: set[float] = set()

    def now(self) -> datetime:
        return SYSTEM.now()

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        if seconds in self.waits:
            await SYSTEM.sleep(0.01)
            return
        if seconds >= ALARM_AFTER:
            await asyncio.Event().wait()
        self.pauses.append(seconds)
        await SYSTEM.sleep(0)


class Bench:
    """A supervisor to try, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.clock = NotingClock()
        self.alarms = Alarms(self.clock)
        self.changes: list[str] = []
        self.supervisor = Supervisor(self.clock, self.alarms, self._changed)
        self.folder = folder

    def _changed(self) -> None:
        self.changes = [*self.changes, *(each.status for each in self.supervisor.conditions())]

    def program(
        self, *argv: str, ready: Callable[[], None] = lambda: None, grace: float = 10.0
    ) -> Program:
        async def probe() -> None:
            ready()

        log = self.folder / "one.log"
        return Program(Command("one", argv or FOREVER, self.folder, log, grace=grace), probe)

    @property
    def pid(self) -> int:
        pid = self.supervisor.conditions()[0].pid
        assert pid is not None
        return pid

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    async def restarted(self, times: int) -> None:
        await until(
            lambda: (
                self.supervisor.conditions()[0].restarts == times
                and self.supervisor.conditions()[0].status == "ready"
            )
        )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.supervisor.stop()


def not_yet() -> None:
    raise UnavailableError("not yet", store="one", operation="ping")


async def test_a_start_waits_until_the_probe_succeeds(bench: Bench) -> None:
    answers = iter((not_yet, not_yet))

    def step() -> None:
        for answer in answers:
            answer()

    await bench.supervisor.start(bench.program(ready=step))

    assert bench.supervisor.conditions()[0].status == "ready"
    assert len(bench.clock.pauses) == 2


async def test_a_death_while_starting_is_told_with_its_last_words(bench: Bench) -> None:
    script = "import sys; print('all well'); sys.exit('ERROR: no such file')"
    program = bench.program(sys.executable, "-S", "-c", script, ready=not_yet)

    with pytest.raises(UnavailableError) as raised:
        await bench.supervisor.start(program)

    assert str(raised.value) == (
        "one ended with code 1 while starting: ERROR: no such file "
        f"(its log is {bench.folder}/one.log)"
    )
    assert raised.value.outcome == "not applied"


async def test_a_program_that_does_not_exist_is_told(bench: Bench) -> None:
    with pytest.raises(UnavailableError, match=r"cannot start /nowhere: .*No such file"):
        await bench.supervisor.start(bench.program("/nowhere", ready=not_yet))


async def test_a_start_that_takes_too_long_is_told(bench: Bench) -> None:
    with pytest.raises(UnavailableError, match="one is not ready after 4 seconds"):
        await bench.supervisor.start(bench.program(ready=not_yet), within=4)


async def test_a_start_that_takes_long_says_so_with_the_last_words(bench: Bench) -> None:
    said: list[str] = []
    bench.clock.waits = {STILL_PERIOD}
    script = "import signal; print('LOG: redo', flush=True); signal.pause()"

    def wait() -> None:
        if len(said) < 2 or "redo" not in said[-1]:
            not_yet()

    program = bench.program(sys.executable, "-S", "-c", script, ready=wait)

    await bench.supervisor.start(program, report=said.append)

    assert said[-1] == "one: still starting: LOG: redo"


async def test_a_refusal_ends_the_wait_at_once(bench: Bench) -> None:
    def refuse() -> None:
        raise RejectedError("no", store="one", operation="ping")

    with pytest.raises(RejectedError):
        await bench.supervisor.start(bench.program(ready=refuse))


async def test_a_probe_that_loses_its_cancellation_holds_up_nothing(bench: Bench) -> None:
    lost: list[str] = []

    async def probe() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost.append("one")
            if len(lost) > 2:
                raise
        not_yet()

    program = bench.program(sys.executable, "-S", "-c", "")

    with pytest.raises(UnavailableError, match="ended with code 0 while starting"):
        await bench.supervisor.start(replace(program, ready=probe))

    assert len(lost) == 3


async def test_the_first_restart_is_at_once_and_silent(bench: Bench) -> None:
    await bench.supervisor.start(bench.program())
    before = bench.pid

    bench.kill()
    await bench.restarted(1)

    assert bench.pid != before
    assert bench.clock.pauses == [0.0]
    assert bench.alarms.sounding() == ()


async def test_deaths_in_a_row_are_answered_with_growing_pauses(bench: Bench) -> None:
    await bench.supervisor.start(bench.program())

    for times in range(1, 6):
        bench.kill()
        await bench.restarted(times)

    assert bench.clock.pauses == [0.0, 0.1, 0.2, 0.4, 0.8]


async def test_a_minute_of_health_is_a_new_beginning(bench: Bench) -> None:
    await bench.supervisor.start(bench.program())
    bench.kill()
    await bench.restarted(1)
    bench.clock.passed += 60

    bench.kill()
    await bench.restarted(2)

    assert bench.clock.pauses == [0.0, 0.0]


async def test_the_second_death_sounds_the_alarm_until_it_is_ready(bench: Bench) -> None:
    is_up = True
    sounded: list[str] = []

    def ready() -> None:
        sounded.extend(each.subject for each in bench.alarms.sounding())
        if not is_up:
            not_yet()

    await bench.supervisor.start(bench.program(ready=ready))
    bench.kill()
    await bench.restarted(1)
    assert sounded == []
    is_up = False

    bench.kill()
    await until(lambda: bool(sounded))
    is_up = True
    await bench.restarted(2)

    assert set(sounded) == {"one"}
    await until(lambda: bench.alarms.sounding() == ())


async def test_every_change_is_told(bench: Bench) -> None:
    await bench.supervisor.start(bench.program())
    bench.kill()
    await bench.restarted(1)
    await bench.supervisor.stop()

    assert bench.changes == ["starting", "ready", "down", "starting", "ready", "stopped"]


async def test_what_ignores_the_stop_signal_is_ended_after_its_grace(bench: Bench) -> None:
    script = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('deaf', flush=True); signal.pause()"
    )
    log = bench.folder / "one.log"
    await bench.supervisor.start(bench.program(sys.executable, "-S", "-c", script, grace=0.1))
    await until(lambda: "deaf" in log.read_text())
    pid = bench.pid

    await bench.supervisor.stop()

    assert born(pid) == 0


async def test_what_a_dead_leader_leaves_in_its_group_is_ended(bench: Bench) -> None:
    script = (
        "import os, signal\nchild = os.fork()\nif child: print(child, flush=True)\nsignal.pause()"
    )
    log = bench.folder / "one.log"
    await bench.supervisor.start(bench.program(sys.executable, "-S", "-c", script))
    await until(lambda: log.read_text().strip().isdigit())
    child = int(log.read_text())

    bench.kill()

    await until(lambda: born(child) == 0)


def test_pauses_double_up_to_half_a_minute() -> None:
    pauses = [pause(deaths) for deaths in (0, 1, 2, 3, 4, 10, 11, 1000)]

    assert pauses == [0.0, 0.0, 0.1, 0.2, 0.4, 25.6, 30.0, 30.0]
