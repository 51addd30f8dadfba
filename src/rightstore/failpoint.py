"""Places where a test can stop the process dead: `CRASH_AT=name:n` ends it at the n-th visit.

`CRASH_COUNT=file` instead adds one line to the file per visit, so that a test can find them all.
Without these variables a visit costs one look at a constant. Neither is ever set in production.
"""

import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from rightstore.errors import UsageError

EXIT_CODE = 137


class _Plan:
    """What the environment asks for: where to die, where to note visits."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        crash_at = environment.get("CRASH_AT", "")
        self._name, _, nth = crash_at.rpartition(":")
        if crash_at and not (self._name and nth.isdecimal() and int(nth) > 0):
            raise UsageError(f"CRASH_AT is {crash_at!r}: write name:n with n from 1.")
        self._nth = int(nth) if nth else 0
        self._visits = count(1)
        self._log = environment.get("CRASH_COUNT", "")
        self.armed = bool(crash_at or self._log)

    def visit(self, name: str) -> None:
        """Note the visit, or die at it, as was asked."""
        if self._log:
            # One append of one line: visits of several processes do not mix.
            with Path(self._log).open("ab", buffering=0) as file:
                file.write(name.encode() + b"\n")
        # The counter's step cannot be split between threads: exactly one visit is the n-th.
        if name == self._name and next(self._visits) == self._nth:
            os._exit(EXIT_CODE)


_plan = _Plan(os.environ)
_armed = _plan.armed


def failpoint(name: str) -> None:
    """Mark a place in the code; die here, without any clean-up, when the test asked for it."""
    if _armed:
        _plan.visit(name)
