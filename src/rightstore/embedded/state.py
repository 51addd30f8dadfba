"""What others may know of a running stack, and how they stop it. It starts nothing."""

import json
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from rightstore.clock import SYSTEM, Clock
from rightstore.embedded.address import kept_ports, urls
from rightstore.embedded.binary import SERVERS
from rightstore.embedded.home import Home, read_json, write
from rightstore.embedded.secret import Secrets
from rightstore.errors import RightstoreError, UsageError
from rightstore.runtime.process import born, sweep
from rightstore.runtime.supervisor import Condition
from rightstore.telemetry.alarm import Sounding

Phase = Literal["starting", "ready", "stopping"]
POLL = 0.02
KILL_GRACE = 10.0
STOP_WITHIN = 45.0


@dataclass(frozen=True, slots=True)
class State:
    """The stack as a whole: its process, each program, what sounds, and what it does without."""

    pid: int
    phase: Phase
    since: datetime
    programs: tuple[Condition, ...] = ()
    alarms: tuple[Sounding, ...] = ()
    notes: tuple[str, ...] = ()
    stop_within: float = STOP_WITHIN

    def as_record(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        record: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_plain))
        return record

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Self:
        """Return what was written."""
        return cls(
            pid=record["pid"],
            phase=record["phase"],
            since=datetime.fromisoformat(record["since"]),
            programs=tuple(_condition(each) for each in record["programs"]),
            alarms=tuple(_sounding(each) for each in record["alarms"]),
            notes=tuple(record["notes"]),
            stop_within=record.get("stop_within", STOP_WITHIN),
        )


def write_state(home: Home, state: State) -> None:
    """Write it where `read_state` finds it."""
    write(home.state, json.dumps(state.as_record(), indent=2) + "\n", lasting=False)


def read_state(home: Home) -> State | None:
    """Return the state of the stack that runs in this home now; None when none does."""
    pid = home.holder()
    if pid is None:
        return None
    state = recorded(home)
    if state is None or state.pid != pid:
        changed = datetime.fromtimestamp(home.lock.stat().st_mtime).astimezone()
        return State(pid, "starting", changed)
    return state


def glance(home: Home) -> State | None:
    """Return the same for those who may neither wait nor fail; None whenever it is not certain."""
    try:
        state = recorded(home) if home.is_locked() else None
    except (RightstoreError, OSError):
        return None
    return state if state is not None and born(state.pid) else None


def recorded(home: Home) -> State | None:
    """Return what was written last, if it can be understood; who wrote it may be gone."""
    try:
        record = read_json(home.state)
        return None if record is None else State.of_record(record)
    except (RightstoreError, KeyError, TypeError, ValueError, AttributeError):
        return None


def embedded_urls(home: Home) -> dict[str, str]:
    """Return the URL of each embedded server of this home, password inside; none before a start."""
    passwords = Secrets.read(home)
    return urls(home, kept_ports(home), passwords) if passwords else {}


async def stop(
    home: Home,
    *,
    within: float | None = None,
    clock: Clock = SYSTEM,
    report: Callable[[str], None] = lambda _: None,
) -> bool:
    """Stop the stack that runs in this home and return True; False when none does.

    What has not ended by itself in time is named and ended by force: afterwards nothing is left.
    Without `within` it gets as long as the stack itself allows. What a stack that is gone has left
    running is ended as well, and counts.
    """
    # First what is written, then who is there: so it cannot be of one who comes just now.
    state = recorded(home)
    pid = home.holder()
    if pid is not None:
        state = state if state is not None and state.pid == pid else None
        await _end_stack(home, pid, state, within, clock=clock, report=report)
    ended = await _end_left(state, clock)
    for folder in (home.postgres, home.redis, home.documents):
        if left := await sweep(folder, clock, SERVERS, within=KILL_GRACE):
            raise UsageError(
                f"these processes work in {folder} and cannot be ended by this user: "
                f"{', '.join(map(str, left))}: end them as their owner"
            )
    return pid is not None or ended


async def end_recorded(home: Home, clock: Clock) -> None:
    """End what a stack that is gone has left running; only for who holds the lock."""
    await _end_left(recorded(home), clock)


async def _end_stack(
    home: Home,
    pid: int,
    state: State | None,
    within: float | None,
    *,
    clock: Clock,
    report: Callable[[str], None],
) -> None:
    if within is None:
        within = STOP_WITHIN if state is None else state.stop_within
    _signal(pid, signal.SIGTERM)
    if not await _is_free(home, clock, within):
        programs = state.programs if state is not None else ()
        names = ", ".join(each.name for each in programs if _lives(each)) or "no server"
        report(f"not stopped after {within:g} seconds (still there: {names}): ended by force")
        _signal(pid, signal.SIGKILL)
        await _is_free(home, clock, KILL_GRACE)


async def _end_left(state: State | None, clock: Clock) -> bool:
    """End those of its programs that live; tell whether there were any."""
    left = [each for each in (state.programs if state is not None else ()) if _lives(each)]
    _kill_left(left)
    end = clock.monotonic() + KILL_GRACE
    while any(_lives(each) for each in left) and clock.monotonic() < end:
        await clock.sleep(POLL)
    return bool(left)


def _lives(program: Condition) -> bool:
    return program.pid is not None and program.born != 0 and born(program.pid) == program.born


def _kill_left(programs: Sequence[Condition]) -> None:
    for program in programs:
        if program.pid is not None and _lives(program):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(program.pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise UsageError(
            f"the stack (pid {pid}) belongs to another user: stop it as that user"
        ) from error


async def _is_free(home: Home, clock: Clock, within: float) -> bool:
    end = clock.monotonic() + within
    while home.is_locked():
        if clock.monotonic() > end:
            return False
        await clock.sleep(POLL)
    return True


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _condition(record: dict[str, Any]) -> Condition:
    since, log = datetime.fromisoformat(record["since"]), Path(record["log"])
    return Condition(**{**record, "since": since, "log": log})


def _sounding(record: dict[str, Any]) -> Sounding:
    return Sounding(**{**record, "since": datetime.fromisoformat(record["since"])})
