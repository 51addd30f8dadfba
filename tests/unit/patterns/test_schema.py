"""Plans over several stores: their order, what may be done of them, and what a failure leaves."""

import pytest

from rightstore.errors import UnavailableError, UsageError
from rightstore.patterns.schema.apply import Permission, Progress, apply
from rightstore.patterns.schema.plan import plan
from rightstore.ports.schema import Step

ROOM = Step("postgres", "schema shop", "create it")
TABLE = Step("postgres", "table orders", "create it")
LOOSEN = Step("postgres", "table orders", "drop an index", phase="contract")
DROP = Step("postgres", "table old", "drop it", destructive=True)
INDEX = Step("mongodb", "product", "build an index")


class Paper:
    """A structure whose steps are written down."""

    def __init__(self, *steps: Step) -> None:
        self.open = list(steps)
        self.breaks_at: Step | None = None

    async def plan(self) -> list[Step]:
        return list(self.open)

    async def apply(self, step: Step) -> None:
        if step == self.breaks_at:
            raise UnavailableError("gone", store=step.store, operation="apply")
        self.open.remove(step)


def silent(_: Progress) -> None: ...


async def test_what_two_structures_need_alike_is_done_once_and_first() -> None:
    made = await plan([Paper(ROOM, TABLE), Paper(ROOM), Paper(INDEX)])

    assert made.steps == (ROOM, TABLE, INDEX)


async def test_every_step_is_done_and_reported_in_order() -> None:
    papers = [Paper(ROOM, TABLE), Paper(INDEX)]
    told: list[tuple[int, str]] = []

    applied = await apply(
        papers, Permission(), report=lambda now: told.append((now.number, now.state))
    )

    assert applied.done == (ROOM, TABLE, INDEX)
    assert (applied.left, applied.error) == ((), None)
    assert told == [
        (1, "begins"), (1, "done"), (2, "begins"), (2, "done"), (3, "begins"), (3, "done"),
    ]  # fmt: skip


async def test_a_destructive_step_is_named_and_nothing_at_all_is_done() -> None:
    paper = Paper(ROOM, DROP)

    with pytest.raises(UsageError) as refused:
        await apply([paper], Permission(), report=silent)

    assert "postgres table old: drop it" in str(refused.value)
    assert "--allow-destructive" in str(refused.value)
    assert paper.open == [ROOM, DROP]


async def test_a_destructive_step_is_done_when_it_is_allowed() -> None:
    paper = Paper(ROOM, DROP)

    await apply([paper], Permission(destructive=True), report=silent)

    assert paper.open == []


async def test_expanding_leaves_what_running_code_would_notice() -> None:
    paper = Paper(TABLE, LOOSEN, DROP)

    applied = await apply([paper], Permission(expand_only=True), report=silent)

    assert applied.done == (TABLE,)
    assert paper.open == [LOOSEN, DROP]


async def test_a_failure_says_what_was_done_and_what_is_left_and_the_rest_is_done_later() -> None:
    paper = Paper(ROOM, TABLE, INDEX)
    paper.breaks_at = TABLE

    applied = await apply([paper], Permission(), report=silent)
    paper.breaks_at = None
    again = await apply([paper], Permission(), report=silent)

    assert applied.done == (ROOM,)
    assert applied.left == (TABLE, INDEX)
    assert isinstance(applied.error, UnavailableError)
    assert again.done == (TABLE, INDEX)
