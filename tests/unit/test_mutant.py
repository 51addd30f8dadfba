"""The switch that seeds faults cannot be thrown by accident."""

import os
import subprocess
import sys

from rightstore.mutant import mutant

PROGRAM = "from rightstore.mutant import mutant; print(mutant('no_mark'), mutant('other'))"


def told(**variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in TAKEN}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )


TAKEN = ("MUTANT", "RIGHTSTORE_TESTING")


def test_without_the_variable_nothing_is_left_out() -> None:
    assert not mutant("no_mark")
    assert told().stdout == "False False\n"


def test_one_mutant_is_seeded_by_its_name() -> None:
    assert told(MUTANT="no_mark", RIGHTSTORE_TESTING="1").stdout == "True False\n"


def test_a_mutant_outside_tests_is_refused() -> None:
    refused = told(MUTANT="no_mark")

    assert refused.returncode != 0
    assert "for tests only: unset it" in refused.stderr
