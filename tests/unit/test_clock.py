"""The clock of the machine, and the one that is current."""

from datetime import UTC, timedelta

from rightstore import clock
from rightstore.clock import SYSTEM, Clock
from rightstore.testing.clock import VirtualClock


def test_the_time_of_day_is_in_utc_and_cut_to_milliseconds() -> None:
    moment = SYSTEM.now()

    assert moment.tzinfo is UTC
    assert moment.microsecond % 1000 == 0


async def test_a_sleep_takes_at_least_its_time() -> None:
    begin = SYSTEM.monotonic()

    await SYSTEM.sleep(0.01)

    assert SYSTEM.monotonic() - begin >= 0.009


def test_now_asks_the_current_clock() -> None:
    before = SYSTEM.now()

    assert before <= clock.now() <= before + timedelta(seconds=60)
    with VirtualClock() as virtual:
        assert clock.now() == virtual.now()


def test_both_clocks_are_clocks() -> None:
    clocks: list[Clock] = [SYSTEM, VirtualClock()]

    assert len(clocks) == 2
