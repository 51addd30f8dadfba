"""Failpoints: they do nothing until a test asks, and then exactly what it asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rightstore import failpoint
from rightstore.errors import UsageError

PROGRAM = """
from rightstore.failpoint import failpoint
for turn in range(3):
    failpoint("before")
    failpoint("after")
    print(turn, flush=True)
"""


class DiedError(Exception):
    """Stands for the end of the process, which a test cannot outlive."""


def die(code: int) -> None:
    raise DiedError(code)


def run(**orders: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | orders,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_an_order_nothing_happens() -> None:
    assert not failpoint._armed

    failpoint.failpoint("anywhere")


def test_the_process_dies_at_the_visit_that_was_named() -> None:
    done = run(CRASH_AT="after:2")

    assert done.returncode == failpoint.EXIT_CODE
    assert done.stdout == "0\n"


def test_a_visit_that_never_comes_kills_nothing() -> None:
    done = run(CRASH_AT="after:4")

    assert done.returncode == 0
    assert done.stdout == "0\n1\n2\n"


def test_visits_are_counted_in_a_file(tmp_path: Path) -> None:
    log = tmp_path / "visits"

    done = run(CRASH_COUNT=str(log))

    assert done.returncode == 0
    assert log.read_text().split() == ["before", "after"] * 3


def test_a_name_may_hold_a_colon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", die)
    plan = failpoint._Plan({"CRASH_AT": "outbox:commit:2"})

    plan.visit("outbox:commit")

    with pytest.raises(DiedError, match="137"):
        plan.visit("outbox:commit")


def test_an_order_reaches_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", die)
    monkeypatch.setattr(failpoint, "_plan", failpoint._Plan({"CRASH_AT": "here:1"}))
    monkeypatch.setattr(failpoint, "_armed", True)

    failpoint.failpoint("elsewhere")

    with pytest.raises(DiedError):
        failpoint.failpoint("here")


def test_counting_and_dying_go_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", die)
    log = tmp_path / "visits"
    plan = failpoint._Plan({"CRASH_AT": "b:1", "CRASH_COUNT": str(log)})

    plan.visit("a")
    with pytest.raises(DiedError):
        plan.visit("b")

    assert log.read_text() == "a\nb\n"


@pytest.mark.parametrize("order", ["here", "here:", ":1", "here:0", "here:-1", "here:x", "here:²"])
def test_an_order_that_means_nothing_is_refused(order: str) -> None:
    with pytest.raises(UsageError, match="write name:n with n from 1"):
        failpoint._Plan({"CRASH_AT": order})
