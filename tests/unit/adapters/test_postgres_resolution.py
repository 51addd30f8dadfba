"""What is told of a write whose reply was lost, from the row that is there afterwards."""

from typing import Any

import pytest

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
