"""Port `checkup`: what a doctor asks of one store. It changes nothing there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

Level = Literal["ok", "warning", "error"]
SKEW = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, and what to do about it unless it is well."""

    subject: str
    level: Level
    message: str
    remedy: str = ""


def judge_version(version: str, *least: int) -> Finding:
    """Judge a version by the oldest that serves."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[: len(least)])
    if numbers >= least:
        return Finding("version", "ok", version)
    oldest = ".".join(map(str, least))
    return Finding("version", "error", f"{version} is too old", f"upgrade it to {oldest} or newer")


def judge_clock(theirs: datetime, before: datetime, after: datetime) -> Finding:
    """Judge the server's time of day, which it told between these two looks at ours."""
    off = max(before - theirs, theirs - after, timedelta()).total_seconds()
    if off <= SKEW:
        return Finding("clock", "ok", "agrees with ours")
    return Finding(
        "clock",
        "warning",
        f"differs from ours by {off:.1f} s",
        "let both machines follow a time server (NTP)",
    )


class Checkup(Protocol):
    """The questions that matter for one store: rights, durability, limits, clock."""

    async def examine(self) -> Sequence[Finding]:
        """Look at the server's settings and at our rights there, and judge each.

        A question that the server does not let us ask is a warning that names the right to grant,
        never silence. Raises StoreError when the server goes away meanwhile.
        """
        ...
