"""Identifiers: their form, their order, and that no two are the same."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rightstore import ids
from rightstore.clock import SYSTEM
from rightstore.errors import UsageError
from rightstore.ids import moment_of, new_id
from rightstore.testing.clock import VirtualClock

STEPS = st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=40)


def test_an_id_is_the_lower_case_text_of_a_version_7_uuid() -> None:
    identifier = new_id()

    parsed = UUID(identifier)
    assert str(parsed) == identifier
    assert parsed.version == 7
    assert parsed.variant == RFC_4122


def test_an_id_tells_when_it_was_made() -> None:
    before = SYSTEM.now()

    moment = moment_of(new_id())

    assert before <= moment <= SYSTEM.now() + timedelta(seconds=1)


def test_ids_grow_while_the_clock_stands_still() -> None:
    with VirtualClock() as clock:
        made = [new_id() for _ in range(10_000)]

    assert made == sorted(set(made))
    # More ids than the counter has room for borrow from the milliseconds to come.
    assert moment_of(made[2_000]) == clock.now()
    assert moment_of(made[-1]) - clock.now() <= timedelta(milliseconds=5)


@given(STEPS)
@settings(max_examples=50)
def test_ids_grow_whatever_the_clock_does(steps: list[int]) -> None:
    with VirtualClock() as clock:
        made = []
        for step in steps:
            clock.set(clock.now() + timedelta(milliseconds=step))
            made.append(new_id())

    assert made == sorted(set(made))


def test_an_id_made_later_carries_the_later_time() -> None:
    with VirtualClock() as clock:
        new_id()
        clock.set(clock.now() + timedelta(milliseconds=1))

        assert moment_of(new_id()) == clock.now()


def test_each_clock_has_a_series_of_its_own() -> None:
    with VirtualClock(datetime(2050, 1, 1, tzinfo=UTC)):
        new_id()
    with VirtualClock(datetime(2020, 1, 1, tzinfo=UTC)) as past:
        assert moment_of(new_id()) == past.now()


def test_a_clock_before_1970_still_gives_ids() -> None:
    with VirtualClock(datetime(1969, 1, 1, tzinfo=UTC)):
        assert moment_of(new_id()) == datetime(1970, 1, 1, tzinfo=UTC)


def test_threads_never_get_the_same_id_and_each_sees_them_grow() -> None:
    def work(_: int) -> list[str]:
        return [new_id() for _ in range(2_000)]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(work, range(8)))

    assert len({identifier for row in made for identifier in row}) == 16_000
    assert all(row == sorted(row) for row in made)


def test_sixty_two_bits_are_drawn_anew_for_each_id() -> None:
    with VirtualClock():
        noise = {UUID(new_id()).int & (1 << 62) - 1 for _ in range(1_000)}

    assert len(noise) == 1_000
    assert {bit for bit in range(62) if any(drawn >> bit & 1 for drawn in noise)} == {*range(62)}


def test_a_forked_child_repeats_none_even_if_the_lock_was_held() -> None:
    out, into = os.pipe()
    with ids._lock:
        child = os.fork()
        if child == 0:  # pragma: no cover - the child, which pytest must not see
            try:
                os.write(into, "\n".join(new_id() for _ in range(100)).encode())
            finally:
                os._exit(0)
    os.close(into)
    ours = {new_id() for _ in range(100)}

    with os.fdopen(out) as file:
        theirs = set(file.read().split())
    os.waitpid(child, 0)

    assert len(theirs) == 100
    assert not ours & theirs


def test_the_lock_of_a_child_is_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with ids._lock as held:
        monkeypatch.setattr(ids, "_lock", ids._lock)

        ids._renew_lock()

        assert held
        assert not ids._lock.locked()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order-1",
        "018C1585-5E7C-7601-B322-5BF9F7478708",
        "{018c1585-5e7c-7601-b322-5bf9f7478708}",
        "c232ab00-9414-41ec-b3c8-9f6bdeced846",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
    ],
)
def test_the_moment_of_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UsageError, match="no id of new_id") as refusal:
        moment_of(text)

    assert not text or text not in str(refusal.value)
