"""What a newcomer writes first, and the remedy that the refusal names."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any, Literal

import pytest

from rightstore.errors import InvalidQueryError, UsageError
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.model.part import Part
from rightstore.model.upgrade import upgrade
from rightstore.model.wish import Cache


class Side(Part):
    note: Field[str]


class Thing(Entity, schema=2):
    id: Field[str]
    n: Field[int] = field(default=0)
    state: Field[Literal["new", "old"]] = field(default="new")
    tags: Field[list[str]] = field(default_factory=list)
    sides: Field[list[Side]] = field(default_factory=list)


T: Any = Thing


@pytest.mark.parametrize(
    ("ask", "kind", "remedy"),
    [
        (lambda: T.sides.note == "a", AttributeError, "ask Thing.sides.any(Side.note == …)"),
        (lambda: T.tags.contains("a"), AttributeError, "write Thing.tags.has(…)"),
        (lambda: T.n.in_([1]), AttributeError, "write Thing.n.one_of([…])"),
        (lambda: T.id.startswith("a"), AttributeError, "write Thing.id.starts_with(…)"),
        (lambda: T.tags.append("a"), AttributeError, "write Thing.tags.push(…)"),
        (lambda: T.n.week, AttributeError, "Thing.n has no 'week'."),
        (lambda: T.n > 1 & T.n < 3, TypeError, "(Thing.n < 3)"),
        (lambda: T.n > 1 | T.id == "a", TypeError, "(Thing.id < 3)"),
        (lambda: T.n > 1 & (T.n < 3), TypeError, "(… > 1) & (Thing.n < ?)"),
        (lambda: T.id.one_of("abc"), InvalidQueryError, "write one_of([…])"),
        (lambda: T.state == "gone", InvalidQueryError, "take 'new', 'old'"),
    ],
)
def test_a_question_that_cannot_be_meant_names_the_field_and_what_to_write(
    ask: Callable[[], object], kind: type[Exception], remedy: str
) -> None:
    with pytest.raises(kind) as refused:
        ask()

    assert remedy in str(refused.value)


def test_what_a_field_lacks_is_still_asked_for_quietly() -> None:
    assert not hasattr(T.n, "__isabstractmethod__")
    assert getattr(T.n, "week", None) is None
    assert str(deepcopy(T.n)) == "Thing.n"


def test_an_upgrade_is_no_coroutine() -> None:
    async def later(stored: dict[str, Any]) -> dict[str, Any]:
        return stored

    with pytest.raises(UsageError, match="write def"):
        upgrade(Thing, to=2)(later)  # type: ignore[arg-type]  # that is the mistake


def test_the_times_of_a_cache_are_seconds() -> None:
    with pytest.raises(UsageError, match="Cache takes seconds"):

        class Kept(Entity, cache=Cache(ttl=timedelta(seconds=3))):  # type: ignore[arg-type]  # so
            id: Field[str]
