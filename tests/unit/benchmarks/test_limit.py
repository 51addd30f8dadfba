"""What the benchmarks call too much."""

from benchmarks.limit import compared, slow
from benchmarks.measure import Ratio, spread

BEFORE = {"round_trips": 1, "statements": 1, "sent": 100, "received": 200}


def test_the_same_counters_are_not_too_much() -> None:
    assert compared({"postgres": {"get": BEFORE}}, {"postgres": {"get": BEFORE}}) == []


def test_one_more_round_trip_is_too_much() -> None:
    now = {**BEFORE, "round_trips": 2}

    lines = compared({"postgres": {"get": BEFORE}}, {"postgres": {"get": now}})

    assert lines == ["postgres get: round trips: 2, the baseline has 1"]


def test_a_tenth_more_bytes_is_allowed_and_one_more_is_not() -> None:
    allowed, too_many = {**BEFORE, "sent": 110}, {**BEFORE, "sent": 111}

    baseline = {"postgres": {"get": BEFORE}}

    assert compared(baseline, {"postgres": {"get": allowed}}) == []
    assert compared(baseline, {"postgres": {"get": too_many}}) == [
        "postgres get: sent: 111, the baseline has 100"
    ]


def test_an_operation_that_the_baseline_does_not_know_is_told() -> None:
    lines = compared({}, {"mongodb": {"put": BEFORE}})

    assert lines == ["mongodb put: not in the baseline: run with --update"]


def test_the_ratio_is_the_median_beside_the_middle_half() -> None:
    assert spread([9.0, 1.0, 2.0, 3.0, 4.0]) == Ratio(3.0, 2.0, 4.0)


def test_a_ratio_is_judged_where_one_is_accepted() -> None:
    late = Ratio(1.6, 1.5, 1.7)

    assert slow("postgres", "get", late) == (
        "postgres get: 1.60 times the raw driver, accepted are 1.5"
    )
    assert slow("postgres", "get", Ratio(1.5, 1.4, 1.6)) is None
    assert slow("dynamodb", "get", late) is None
