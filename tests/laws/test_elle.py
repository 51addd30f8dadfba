"""The checker of histories finds what is planted, and nothing in what is sound."""

import pytest

from tests.laws.elle import Append, Read, Transaction, anomalies


def transactions(*made: tuple[str, list[Append | Read]]) -> list[Transaction]:
    return [
        Transaction(number, did, "ok" if end == "ok" else "fail")
        for number, (end, did) in enumerate(made)
    ]


def test_a_serial_history_is_sound() -> None:
    history = transactions(
        ("ok", [Read(0, ()), Append(0, 1)]),
        ("ok", [Read(0, (1,)), Append(0, 2), Read(0, (1, 2))]),
        ("fail", [Append(0, 3)]),
    )

    assert anomalies(history, {0: (1, 2)}) == []


def test_write_skew_is_allowed() -> None:
    history = transactions(
        ("ok", [Read(0, ()), Append(1, 1)]),
        ("ok", [Read(1, ()), Append(0, 2)]),
    )

    assert anomalies(history, {0: (2,), 1: (1,)}) == []


@pytest.mark.parametrize(
    ("name", "history", "final"),
    [
        ("lost update", transactions(("ok", [Append(0, 1)]), ("ok", [Append(0, 2)])), {0: (2,)}),
        ("dirty write", transactions(("fail", [Append(0, 1)])), {0: (1,)}),
        (
            "non-repeatable read",
            transactions(("ok", [Append(0, 1)]), ("ok", [Read(0, ()), Read(0, (1,))])),
            {0: (1,)},
        ),
        (
            "G1a",
            transactions(("fail", [Append(0, 1)]), ("ok", [Read(0, (1,))])),
            {0: ()},
        ),
        (
            "G1b",
            transactions(("ok", [Append(0, 1), Append(0, 2)]), ("ok", [Read(0, (1,))])),
            {0: (1, 2)},
        ),
        (
            "incompatible order",
            transactions(("ok", [Append(0, 1)]), ("ok", [Append(0, 2)]), ("ok", [Read(0, (2,))])),
            {0: (1, 2)},
        ),
        (
            "G0",
            transactions(
                ("ok", [Append(0, 1), Append(1, 2)]), ("ok", [Append(0, 3), Append(1, 4)])
            ),
            {0: (1, 3), 1: (4, 2)},
        ),
        (
            "G1c",
            transactions(
                ("ok", [Append(0, 1), Read(1, (2,))]), ("ok", [Append(1, 2), Read(0, (1,))])
            ),
            {0: (1,), 1: (2,)},
        ),
        (
            "G-single",
            transactions(
                ("ok", [Append(0, 1), Append(1, 2)]), ("ok", [Read(0, ()), Read(1, (2,))])
            ),
            {0: (1,), 1: (2,)},
        ),
    ],
)
def test_an_anomaly_is_found(
    name: str, history: list[Transaction], final: dict[int, tuple[int, ...]]
) -> None:
    assert any(found.startswith(name) for found in anomalies(history, final))
