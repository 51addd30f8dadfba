"""What is told of a write whose reply was lost, from the row that is there afterwards."""

from typing import Any

import asyncpg
import pytest

from rightstore.adapters.postgres.answer import is_answer
from rightstore.adapters.postgres.resolution import applied
from rightstore.ports.records import Change, Delete, Put, Write
from rightstore.testing.contract.sample import SAMPLE, VISIT

OURS = "ours"
SENT = 100


def row(version: int, write_id: str = "theirs", wal: int = SENT + 1) -> dict[str, Any]:
    return {"version": version, "write_id": write_id, "wal": wal}


GUARDED = Put("k", {}, 4, OURS)
NEW = Put("k", {}, 0, OURS)
FREE = Change("k", (), write_id=OURS)
GONE = Delete("k", write_id=OURS)


@pytest.mark.parametrize(
    ("write", "there", "known"),
    [
        (GUARDED, row(5, OURS), True),
        (GUARDED, row(4), False),
        (GUARDED, row(5), False),
        (GUARDED, row(6), None),
        (GUARDED, row(6, wal=SENT), False),
        (NEW, None, False),
        (NEW, row(1), False),
        (NEW, row(2), None),
        (FREE, row(9, OURS), True),
        (FREE, row(9), None),
        (FREE, row(9, wal=SENT), False),
        (GONE, row(9, wal=SENT - 1), False),
        (GONE, row(9, wal=SENT + 1), None),
    ],
)
def test_it_is_told_only_where_it_is_certain(write: Write, there: Any, known: bool | None) -> None:
    assert applied(SAMPLE, write, there, SENT) is known


def test_what_expires_may_have_been_written_and_removed() -> None:
    assert applied(VISIT, NEW, None, SENT) is None


def test_what_expires_may_have_been_removed_and_be_another_s_now() -> None:
    assert applied(VISIT, NEW, row(1), SENT) is None
    assert applied(VISIT, NEW, row(1, wal=SENT), SENT) is False
    assert applied(VISIT, NEW, row(1, OURS), SENT) is True


@pytest.mark.parametrize(
    ("severity", "code", "is_over"),
    [
        ("ERROR", "23505", True),
        ("ERROR", "57014", True),
        ("ERROR", "40003", False),
        ("FATAL", "57P01", False),
        ("FATAL", "XX000", False),
        ("PANIC", "58030", False),
        ("PANIC", "53100", False),
    ],
)
def test_only_a_server_that_serves_on_has_refused(severity: str, code: str, is_over: bool) -> None:
    error = asyncpg.PostgresError.new({"V": severity, "C": code, "M": "it says why"})

    assert is_answer(error) is is_over
