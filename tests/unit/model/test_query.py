"""What a caller asks is checked once, before any store sees it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest

from rightstore.errors import InvalidQueryError, UsageError
from rightstore.model.condition import And
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.evaluate import satisfies
from rightstore.model.field import Field, Maybe, field
from rightstore.model.group import mean, rows_of
from rightstore.model.measure import count
from rightstore.model.part import Part
from rightstore.model.query import alive, columns, condition, edits, equalities, orders
from rightstore.model.record import to_stored
from rightstore.model.wish import Index, Retain


class Side(Part):
    note: Field[str] = field(default="")


class Thing(Entity, indexes=[Index("name", text=True)]):
    id: Field[str]
    name: Field[str | None] = field(default=None)
    other: Field[str | None] = field(default=None)
    n: Field[int | None] = field(default=None)
    price: Field[Decimal | None] = field(default=None)
    rate: Field[float] = field(default=0.0)
    is_open: Field[bool] = field(default=False)
    at: Field[datetime | None] = field(default=None)
    sides: Field[list[Side]] = field(default_factory=list)
    side: Maybe[Side] = field(default=None)
    free: Field[dict[str, Any]] = field(default_factory=dict)


class Stone(Entity, append_only=True):
    id: Field[str]
    n: Field[int] = field(default=0)


class Brief(Entity, log=False, retain=Retain("at", timedelta(days=1), where={"n": 1})):
    id: Field[str]
    n: Field[int] = field(default=1)
    at: Field[datetime | None] = field(default=None)


class Other(Entity):
    id: Field[str]
    n: Field[int] = field(default=0)


T: Any = Thing
THING = declaration_of(Thing)


def test_conditions_become_one() -> None:
    one, two = T.n > 1, T.name.matches("red")

    assert condition(THING, []) is None
    assert condition(THING, [one]) == one
    assert condition(THING, [one, two]) == And((one, two))
    assert str(condition(THING, [T.is_open])) == "Thing.is_open == ?"


def deep(levels: int) -> Any:
    found = T.n > 0
    for n in range(levels):
        found = (found & (T.n > 1)) if n % 2 else (found | (T.n > 1))
    return found


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "bool": (lambda: condition(THING, [True]), "bool is no condition: compare a field with a val"),
    "text": (lambda: condition(THING, ["n > 1"]), "str is no condition"),
    "no flag": (lambda: condition(THING, [T.n]), "Thing.n is int | None, no flag"),
    "part": (lambda: condition(THING, [T.side]), "PartPath is no condition"),
    "count": (lambda: condition(THING, [count()]), "count() is no condition"),
    "other entity": (lambda: condition(THING, [Other.n > 1]), "Other.n is not a field of Thing"),
    "other in and": (lambda: condition(THING, [(T.n > 1) & (Other.n > 1)]), "Other.n is not a fie"),
    "part itself": (lambda: condition(THING, [Side.note == "a"]), "Side.note is not a field of Th"),
    "no text index": (
        lambda: condition(THING, [~T.other.matches("a")]),
        "Thing.other.matches needs a text index: declare Index('other', text=True)",
    ),
    "text inside": (
        lambda: condition(THING, [T.sides.any(Side.note.matches("a"))]),
        "Thing.sides.any: matches looks at fields of the entity only",
    ),
    "deep": (lambda: condition(THING, [deep(60)]), "is up to 50 deep"),
    "wide": (
        lambda: condition(THING, [reduce(lambda a, b: a | b, [T.n == n for n in range(1001)])]),
        "has up to 1000 comparisons",
    ),
    "sort field": (lambda: orders(THING, [T.n]), "sort takes Thing.n.asc() or .desc(), not the"),
    "sort other": (lambda: orders(THING, [Other.n.asc()]), "Other.n is not a field of Thing"),
    "sort twice": (lambda: orders(THING, [T.n.asc(), T.n.desc()]), "Thing.n is sorted by twice"),
    "sort many": (
        lambda: orders(
            THING, [getattr(T, n).asc() for n in list(THING.fields)[:8]] + [T.side.note.asc()]
        ),
        "sort by up to 8 fields",
    ),
    "no column": (lambda: columns(THING, []), "select takes 1 to 8 columns"),
    "many columns": (lambda: columns(THING, [T.n] * 9), "select takes 1 to 8 columns"),
    "column part": (lambda: columns(THING, [T.side]), "not PartPath; of a part name its fields"),
    "column text": (lambda: columns(THING, ["n"]), "not str"),
    "column other": (lambda: columns(THING, [Other.n]), "Other.n is not a field of Thing"),
    "group by list": (lambda: columns(THING, [T.sides, count()]), "a group key is a single value"),
    "group by free": (
        lambda: columns(THING, [T.free["a"], count()]),
        "a group key is a single val",
    ),
    "no edit": (lambda: edits(THING, []), "Thing: change without an edit"),
    "edit text": (
        lambda: edits(THING, ["n"]),
        "change takes edits such as Thing.field.set(…), not",
    ),
    "edit other": (lambda: edits(THING, [Other.n.set(1)]), "Other.n is not a field of Thing"),
    "edit key": (lambda: edits(THING, [T.id.set("b")]), "Thing.id is the key"),
    "edit twice": (lambda: edits(THING, [T.n.set(1), T.n.add(1)]), "Thing.n is edited twice"),
    "edit inside": (
        lambda: edits(THING, [T.side.note.set("a"), T.side.set(None)]),
        "Thing.side is edited twice",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_question_is_refused_with_field_and_remedy(case: str) -> None:
    ask, expected = WRONG[case]

    with pytest.raises(InvalidQueryError) as refused:
        ask()

    assert expected in str(refused.value)


def test_what_is_append_only_is_not_changed() -> None:
    with pytest.raises(UsageError, match="Stone is append_only: put a new record instead"):
        edits(declaration_of(Stone), [Stone.n.add(1)])


def test_edits_of_neighbours_are_taken() -> None:
    given = [T.free["a"].set(1), T.free["b"].set(2), T.n.add(1)]

    assert edits(THING, given) == tuple(given)


@pytest.mark.parametrize(
    ("at", "n", "expected"),
    [(24, 1, False), (25, 1, False), (23, 1, True), (24, 2, True), (None, 1, True)],
)
def test_a_record_is_alive_until_it_is_old_enough_and_fits(
    at: int | None, n: int, expected: bool
) -> None:
    record = Brief(id="a", n=n, at=None if at is None else NOON - timedelta(hours=at))
    asked = alive(declaration_of(Brief), NOON)

    assert asked is not None
    assert satisfies(to_stored(record), asked) is expected
    assert alive(THING, NOON) is None


def test_the_equalities_of_a_wish_are_comparisons_in_stored_form() -> None:
    found = equalities(THING, {"price": 1, "side.note": "a"})

    assert [str(one) for one in found] == ["Thing.price == ?", "Thing.side.note == ?"]
    assert found[0] == (T.price == Decimal(1))


NOON = datetime(2026, 1, 31, 12, 30, 1, tzinfo=UTC)
RECORDS = [
    Thing(id="1", name="a", n=1, price=Decimal("0.10"), rate=0.1, at=NOON, is_open=True),
    Thing(id="2", name="a", n=None, price=Decimal("0.20"), rate=0.2, at=NOON),
    Thing(id="3", name="b", n=4, rate=0.3, at=datetime(2026, 2, 1, tzinfo=UTC)),
    Thing(id="4", n=2, rate=0.5, free={"x": [1]}, sides=[Side(note="s")]),
]


def rows(*given: Any, records: list[Thing] | None = None) -> list[tuple[Any, ...]]:
    stored = [to_stored(one) for one in (RECORDS if records is None else records)]
    return rows_of(stored, columns(THING, given))


def test_without_an_aggregate_each_record_is_a_row_with_values_as_a_record_has_them() -> None:
    assert rows(T.id, T.side.note, T.free["x"], T.sides)[2:] == [
        ("3", None, None, []),
        ("4", None, [1], [Side(note="s")]),
    ]


def test_groups_come_in_the_order_of_their_keys_none_first() -> None:
    assert rows(T.name, count(), T.n.sum(), T.price.sum(), T.n.min(), T.n.max()) == [
        (None, 1, 2, None, 2, 2),
        ("a", 2, 1, Decimal("0.30"), 1, 1),
        ("b", 1, 4, None, 4, 4),
    ]


def test_means_are_exact_for_decimals_and_leave_none_out() -> None:
    assert rows(T.name, T.price.avg(), T.n.avg()) == [
        (None, None, 2.0),
        ("a", Decimal("0.15"), 1.0),
        ("b", None, 4.0),
    ]
    assert mean(Decimal(1), 3) == Decimal("0." + "3" * 34)


def test_without_a_key_all_records_are_one_group_and_no_records_are_none() -> None:
    assert rows(count(), T.rate.sum(), T.at.max()) == [(4, 1.1, datetime(2026, 2, 1, tzinfo=UTC))]
    assert rows(count(), records=[]) == []


def test_a_sum_of_floats_does_not_hang_on_their_order() -> None:
    records = [Thing(id="a", rate=rate) for rate in (1e16, 1.0, -1e16)]

    assert rows(T.rate.sum(), records=records) == [(1.0,)]


def test_buckets_are_in_utc_and_leave_out_what_has_no_moment() -> None:
    assert rows(T.at.day(), count()) == [(date(2026, 1, 31), 2), (date(2026, 2, 1), 1)]
    assert rows(T.at.month(), count()) == [(date(2026, 1, 1), 2), (date(2026, 2, 1), 1)]
    assert rows(T.at.hour(), T.id)[0] == (datetime(2026, 1, 31, 12, tzinfo=UTC), "1")


def test_a_flag_is_a_group_key() -> None:
    assert rows(T.is_open, count()) == [(False, 3), (True, 1)]
