"""A supervised stack in a process of its own, so that a test can kill it; and who is left of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil
import pytest

from rightstore.embedded.address import kept_ports
from rightstore.embedded.home import Home
from rightstore.embedded.state import State, embedded_urls, read_state
from rightstore.runtime.supervisor import Condition

SUPERVISE = Path(__file__).with_name("supervise.py")
ALL = ("postgres", "redis", "mongodb")


@dataclass
class Running:
    """One supervisor, and what it has said."""

    home: Home
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)

    @property
    def output(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def wait_until_started(self) -> None:
        for line in self.output:
            self.said.append(line.strip())
            if line == "started\n":
                self.remember()
                return
        raise AssertionError(f"ended with {self.process.wait()}: {self.complaint()}")

    def remember(self) -> None:
        """Note the sessions of all its children: who stays in one is recognised later."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(ProcessLookupError):
                self.sessions.add(os.getsid(child.pid))

    def complaint(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().strip()

    def end(self, number: signal.Signals) -> int:
        """Signal the supervisor and return how it ended."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.close()
        return code

    def close(self) -> None:
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def state(self) -> State:
        found = read_state(self.home)
        assert found is not None
        return found

    def program(self, name: str) -> Condition:
        return next(each for each in self.state().programs if each.name == name)

    def pid(self, name: str) -> int:
        pid = self.program(name).pid
        assert pid is not None
        return pid

    def urls(self) -> dict[str, str]:
        return embedded_urls(self.home)

    def port(self, store: str) -> int:
        return kept_ports(self.home)[store]

    def left(self) -> list[str]:
        """Return every process that is of this stack: by session, by folder, by command line."""
        return [
            f"{each.pid} {each.name()}"
            for each in psutil.process_iter()
            if each.pid != os.getpid() and self._is_ours(each)
        ]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            told = [process.cwd(), *process.cmdline()]
            session = os.getsid(process.pid)
        except (psutil.Error, ProcessLookupError):
            return False
        return session in self.sessions or any(str(self.home.path) in each for each in told)


Launch = Callable[..., Running]


def launch(home: Path, *stores: str, **variables: str) -> Running:
    command = [sys.executable, str(SUPERVISE), str(home), *(stores or ALL)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | variables,
    )
    return Running(Home(home), process)


def finish(running: Running) -> None:
    if running.process.poll() is None:
        running.process.terminate()
        try:
            running.process.wait(60)
        except subprocess.TimeoutExpired:
            running.process.kill()
            running.process.wait(60)
    running.close()


@pytest.fixture
def begin() -> Iterator[Launch]:
    """Launch supervisors without waiting; whatever still runs at the end is stopped."""
    launched: list[Running] = []

    def begin(home: Path, *stores: str, **variables: str) -> Running:
        launched.append(launch(home, *stores, **variables))
        return launched[-1]

    yield begin
    for running in launched:
        finish(running)


@pytest.fixture
def start(begin: Launch) -> Launch:
    """Launch a supervisor and wait until it has started."""

    def start(home: Path, *stores: str, **variables: str) -> Running:
        running = begin(home, *stores, **variables)
        running.wait_until_started()
        return running

    return start


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One stack for all tests of a module that only look at it."""
    running = launch(tmp_path_factory.mktemp("stack") / "home")
    try:
        running.wait_until_started()
        yield running
    finally:
        finish(running)
