"""Crash points: all are found, and the program dies at each."""

import sys
from pathlib import Path

import pytest

from rightstore.testing.crash import crash, survey

# Notes each step in a file before the failpoint behind it.
PROGRAM = """
import sys
from rightstore.failpoint import failpoint
def note(step):
    with open(sys.argv[1], "a") as file: file.write(step)
note("a"); failpoint("first")
for _ in range(2): note("b"); failpoint("second")
note("c")
"""


def command(file: Path, program: str = PROGRAM) -> list[str]:
    return [sys.executable, "-c", program, str(file)]


async def test_a_program_is_seen_to_die_at_each_of_its_failpoints(tmp_path: Path) -> None:
    hits = await survey(command(tmp_path / "dry"))

    assert hits == ("first:1", "second:1", "second:2")
    traces = []
    for number, hit in enumerate(hits):
        trace = tmp_path / str(number)
        await crash(command(trace), hit)
        traces.append(trace.read_text())
    assert traces == ["a", "ab", "abb"]


async def test_a_program_that_does_not_die_there_fails_the_test(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ended with 0 where 137 was due"):
        await crash(command(tmp_path / "trace"), "third:1")


async def test_a_program_that_fails_by_itself_shows_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"(?s)ended with 1 where 0 was due.*no such luck"):
        await survey(command(tmp_path, "raise SystemExit('no such luck')"))


async def test_a_program_without_failpoints_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="passed no failpoint"):
        await survey(command(tmp_path, "pass"))


async def test_a_program_that_hangs_is_killed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="did not end within"):
        await survey(command(tmp_path, "import threading; threading.Event().wait()"), seconds=0.2)


async def test_the_environment_given_is_the_one_it_gets_without_old_orders(
    tmp_path: Path,
) -> None:
    program = """
import os
from rightstore.failpoint import failpoint
assert "HOME" not in os.environ and os.environ["COLOUR"] == "red"
failpoint("here")
"""
    environment = {"COLOUR": "red", "CRASH_AT": "here:1"}

    assert await survey(command(tmp_path, program), environment=environment) == ("here:1",)
