"""The checks of records can fail: each planted bug in the memory adapter is caught by a named one.

It cannot say that every bug would be.
"""

from collections.abc import Callable
from typing import Any

import pytest

from rightstore.adapters.memory import records, table
from rightstore.clock import SYSTEM
from rightstore.errors import RightstoreError
from rightstore.model import evaluate
from rightstore.ports.records import Change, Delete, Put, Stored
from rightstore.testing.contract.check import Check
from rightstore.testing.contract.suite import CHECKS

BY_NAME = {check.name: check for check in CHECKS}
# What a failed check raises: an assertion, an unexpected error of ours, or a missing one.
FAILED = (AssertionError, RightstoreError, pytest.fail.Exception)
Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def store() -> str:
    """The adapter that the bugs are planted in."""
    return "memory"


def instead(module: Any, name: str, bug: Any) -> Plant:
    return lambda patch: patch.setattr(module, name, bug)


async def change_in_two_steps(self: Any, write: Change) -> Stored:
    """Test and edit a copy, and store it later, whatever is there by then."""
    table = self._table
    there = table.read(write.key)
    if there:
        mark = table.mark(write.key)
        table.write(write)
        data = table.left(write.key).data
        mark()
        await self._clock.sleep(0)
        table.put(Put(write.key, data), None)
    else:
        table.write(write)
    left: Stored = table.left(write.key)
    return left


def forget(self: Any, write: Delete, row: Any) -> int:
    """Remove the row, version and all."""
    self._shelf.place(self._declaration, write.key, None)
    return row.version + 1 if row else 0


def without_tombstones(patch: pytest.MonkeyPatch) -> None:
    writes: Any = table._WRITES
    patch.setitem(writes, Delete, forget)


def by_rank_only(data: Any, orders: Any, mark: Any, is_after: Any = evaluate.is_after) -> bool:
    """Let the rest of a tie go with the first page."""
    after: bool = is_after(data, orders[:1], mark[:1])
    return after


def ascending(data: Any, orders: Any, sort_key: Any = evaluate.sort_key) -> Any:
    return sort_key(data, [type(order)(order.place) for order in orders])


def nothing(*_: object) -> None:
    return None


MUTANTS: list[tuple[str, Plant, str]] = [
    ("lost update", instead(records.MemoryRecords, "change", change_in_two_steps),
     "no_update_is_lost_among_many_at_once"),
    ("oversell", instead(records.MemoryRecords, "change", change_in_two_steps),
     "no_more_is_sold_than_there_is"),
    ("no expectation", instead(table, "judge_version", nothing), "a_stale_version_is_refused"),
    ("created twice", instead(table, "judge_version", nothing),
     "one_of_many_at_once_creates_a_record"),
    ("seen is ignored", instead(table, "judge_version", nothing),
     "a_batch_goes_ahead_only_if_what_was_read_is_still_so"),
    ("when is ignored", instead(table, "satisfies", lambda *_: True),
     "a_change_is_made_when_its_condition_holds"),
    ("no tombstone", without_tombstones,
     "a_deleted_record_is_absent_and_its_key_continues_its_version"),
    ("shared data", instead(table, "copied", lambda data: data), "what_was_handed_over_is_a_copy"),
    ("shared edits", instead(table, "copied", lambda data: data),
     "what_a_change_hands_over_is_a_copy"),
    ("no order", instead(table, "sort_key", lambda *_: ()),
     "none_comes_first_going_up_and_last_going_down"),
    ("no way down", instead(table, "sort_key", ascending), "an_indexed_condition_finds_in_order"),
    ("ties are lost", instead(table, "is_after", by_rank_only), "a_page_begins_after_a_position"),
    ("no position", instead(table, "is_after", lambda *_: True), "a_page_begins_after_a_position"),
    ("no unique index", instead(table, "claims", lambda *_: ()),
     "one_of_many_at_once_gets_a_unique_value"),
    ("half a batch", instead(table.Table, "mark", lambda *_: nothing),
     "a_batch_that_fails_anywhere_leaves_nothing"),
    ("any batch", instead(records, "judge_batch", nothing),
     "what_a_batch_must_not_hold_is_refused_before_anything_is_written"),
    ("a key twice", instead(records, "judge_batch", nothing),
     "a_key_that_comes_twice_is_refused_before_anything_is_put"),
    ("overwritten", instead(table, "judge_write", nothing),
     "what_is_append_only_is_neither_changed_nor_overwritten_nor_deleted"),
    ("no expiry on read", instead(table, "alive", nothing),
     "what_has_expired_is_absent_to_every_read"),
    ("no expiry on write", instead(table, "alive", nothing),
     "what_has_expired_is_absent_to_every_write"),
    ("no upgrade", instead(table, "upgraded", lambda _, data, __: data),
     "a_record_of_an_older_schema_is_given_as_it_is_and_upgraded_by_a_change"),
    ("no aggregate", instead(records, "rows_of", lambda *_: []),
     "groups_have_aggregates_in_the_order_of_their_keys"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "name"), [it[1:] for it in MUTANTS], ids=[m[0] for m in MUTANTS])
async def test_a_planted_bug_is_caught(
    plant: Plant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await BY_NAME[name].run(records.MemoryStore(SYSTEM))

    plant(monkeypatch)

    with pytest.raises(FAILED):
        await BY_NAME[name].run(records.MemoryStore(SYSTEM))


@pytest.mark.parametrize("check", [it for it in CHECKS if it.lacks], ids=lambda it: it.lacks)
async def test_a_store_that_imitates_what_it_says_it_lacks_is_caught(check: Check) -> None:
    with pytest.raises(FAILED):
        await check.run(records.MemoryStore(SYSTEM))
