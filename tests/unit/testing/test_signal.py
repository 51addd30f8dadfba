"""Processes that are held still."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rightstore.errors import UsageError
from rightstore.testing.signal import suspended
from rightstore.testing.wait import until

# One thread spins, the other answers.
PROGRAM = """
import sys, threading
def spin():
    while True: pass
threading.Thread(target=spin, daemon=True, name="(odd) name").start()
for line in sys.stdin:
    print(line, end="", flush=True)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert answers(child)
        yield child
        child.kill()


@pytest.fixture
def ended() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has ended and was not reaped."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.read() == b""
        yield child


def answers(child: subprocess.Popen[bytes]) -> bool:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"hello\n")
    child.stdin.flush()
    return child.stdout.readline() == b"hello\n"


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


async def test_a_process_stands_still_in_the_block_and_goes_on_after_it(
    process: subprocess.Popen[bytes],
) -> None:
    async with suspended(process.pid):
        assert state(process.pid) == "T"

    assert answers(process)


async def test_it_goes_on_even_if_the_block_fails(process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(ZeroDivisionError):
        async with suspended(process.pid):
            _ = 1 / 0

    assert answers(process)


async def test_one_that_is_killed_in_the_block_is_no_error(
    process: subprocess.Popen[bytes],
) -> None:
    async with suspended(process.pid):
        process.kill()
        process.wait(10)

    assert process.returncode == -9


async def test_one_that_ended_before_is_refused_and_the_others_go_on(
    process: subprocess.Popen[bytes], ended: subprocess.Popen[bytes]
) -> None:
    ended.wait(10)

    with pytest.raises(UsageError, match="ended already"):
        async with suspended(process.pid, ended.pid):
            pytest.fail("the block must not begin")

    await until(lambda: state(process.pid) != "T")
    assert answers(process)


async def test_one_that_has_ended_and_was_not_reaped_counts_as_still(
    ended: subprocess.Popen[bytes],
) -> None:
    await until(lambda: state(ended.pid) == "Z")

    async with suspended(ended.pid):
        assert state(ended.pid) == "Z"
