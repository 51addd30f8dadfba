"""What is judged alike for every store: versions and clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from rightstore.ports.checkup import judge_clock, judge_version

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("version", ["6.2.14", "6.2", "7", "10.0.1", "6.2-alpha"])
def test_the_oldest_that_serves_and_newer_ones_are_well(version: str) -> None:
    found = judge_version(version, 6, 2)

    assert (found.level, found.message) == ("ok", version)


@pytest.mark.parametrize("version", ["6.1.9", "5.9", "6", ""])
def test_an_old_version_is_an_error_with_a_remedy(version: str) -> None:
    found = judge_version(version, 6, 2)

    assert found.level == "error"
    assert found.remedy == "upgrade it to 6.2 or newer"


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 2.5, 5.0, 6.0])
def test_a_time_told_between_our_looks_or_a_second_off_is_well(seconds: float) -> None:
    theirs = NOON + timedelta(seconds=seconds)

    found = judge_clock(theirs, NOON, NOON + timedelta(seconds=5))

    assert found.level == "ok"


@pytest.mark.parametrize(("seconds", "off"), [(-1.5, "1.5 s"), (7.25, "2.2 s"), (3605, "3600.0 s")])
def test_a_time_more_than_a_second_off_is_a_warning(seconds: float, off: str) -> None:
    theirs = NOON + timedelta(seconds=seconds)

    found = judge_clock(theirs, NOON, NOON + timedelta(seconds=5))

    assert (found.level, found.message) == ("warning", f"differs from ours by {off}")
    assert found.remedy
