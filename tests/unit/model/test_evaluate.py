"""The reference meaning: conditions, orders and edits over one record in stored form."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightstore.errors import ConditionError, ConstraintError
from rightstore.model.condition import Condition
from rightstore.model.entity import Entity
from rightstore.model.evaluate import apply, is_after, is_same, position, satisfies, sort_key
from rightstore.model.field import Field, Maybe, field
from rightstore.model.order import Order
from rightstore.model.part import Part
from rightstore.model.record import copied, to_stored
from rightstore.model.wish import Index

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Side(Part):
    width: Field[int] = field(default=0)
    note: Field[str | None] = field(default=None)


class Thing(Entity, rename="camel", indexes=[Index("name", text=True)]):
    id: Field[str] = field(default="a")
    name: Field[str | None] = field(default=None)
    how_many: Field[int | None] = field(default=None)
    price: Field[Decimal | None] = field(default=None)
    rate: Field[float] = field(default=0.0)
    is_open: Field[bool] = field(default=False)
    at: Field[datetime | None] = field(default=None)
    day: Field[date | None] = field(default=None)
    ref: Field[UUID | None] = field(default=None)
    tags: Field[list[str]] = field(default_factory=list)
    marks: Field[list[int | None]] = field(default_factory=list)
    sides: Field[list[Side]] = field(default_factory=list)
    side: Maybe[Side] = field(default=None)
    free: Field[dict[str, Any]] = field(default_factory=dict)


T: Any = Thing
TWO_SIDES = {"sides": [Side(width=1, note="x"), Side(width=9, note="y")]}
MEANS: list[tuple[dict[str, Any], Condition, bool]] = [
    # equality and None
    ({"name": "a"}, T.name == "a", True),
    ({"name": "a"}, T.name == "A", False),
    ({"name": None}, T.name == None, True),  # noqa: E711 - asks
    ({"name": None}, T.name != None, False),  # noqa: E711 - asks
    ({"name": None}, T.name != "a", True),
    ({"name": None}, T.name == "", False),
    ({"name": ""}, T.name.exists(), True),
    ({"name": None}, T.name.exists(), False),
    ({"name": None}, T.name < "a", False),
    ({"name": None}, ~(T.name < "a"), True),
    ({"name": None}, T.name >= "", False),
    # types
    ({"how_many": 3}, T.how_many <= 3, True),
    ({"how_many": 3}, T.how_many > 3, False),
    ({"price": Decimal("1.10")}, T.price == Decimal("1.1"), True),
    ({"price": Decimal("1.10")}, T.price > 1, True),
    ({"price": Decimal("1E+2")}, T.price == 100, True),
    ({"rate": 0.5}, T.rate < 1, True),
    ({"at": NOON}, T.at == NOON + timedelta(microseconds=999), True),
    ({"at": NOON}, T.at < NOON + timedelta(milliseconds=1), True),
    ({"day": date(2026, 1, 2)}, T.day >= date(2026, 1, 2), True),
    ({"ref": UUID(int=9)}, T.ref < UUID(int=10), True),
    ({"is_open": True}, ~T.is_open, False),
    # text
    ({"name": "Zebra"}, T.name < "apple", True),
    ({"name": "ä"}, T.name > "z", True),
    ({"name": "\ufb01"}, T.name < "\U0001f600", True),
    ({"name": "a%b_c"}, T.name.starts_with("a%b"), True),
    ({"name": "axb"}, T.name.starts_with("a%"), False),
    ({"name": "Abc"}, T.name.starts_with("a"), False),
    ({"name": None}, T.name.starts_with(""), False),
    ({"name": "Red shoes, new!"}, T.name.matches("SHOES red"), True),
    ({"name": "Redder shoes"}, T.name.matches("red"), False),
    ({"name": "x"}, T.name.matches(" . "), False),
    # options
    ({"name": "b"}, T.name.one_of(["a", "b"]), True),
    ({"name": None}, T.name.one_of(["a"]), False),
    ({"name": None}, T.name.one_of(["a", None]), True),
    ({"name": "a"}, T.name.one_of([]), False),
    ({"name": "a"}, ~T.name.one_of([]), True),
    # lists
    ({"tags": ["a", "b"]}, T.tags.has("b"), True),
    ({"tags": []}, T.tags.has("b"), False),
    ({"marks": [1, None]}, T.marks.has(None), True),
    ({"marks": []}, T.marks.has(None), False),
    (TWO_SIDES, T.sides.any(Side.width > 5), True),
    (TWO_SIDES, T.sides.any((Side.width > 5) & (Side.note == "x")), False),
    (TWO_SIDES, T.sides.any(~(Side.width > 5)), True),
    (TWO_SIDES, ~T.sides.any(Side.width > 5), False),
    ({"sides": []}, T.sides.any(~(Side.width > 5)), False),
    # parts
    ({"side": Side(width=3)}, T.side.width == 3, True),
    ({"side": None}, T.side.width == 3, False),
    ({"side": None}, T.side.width != 3, True),
    ({"side": None}, T.side.exists(), False),
    ({"side": Side()}, T.side.exists(), True),
    ({"side": Side()}, T.side.note == None, True),  # noqa: E711 - asks
    # free form
    ({"free": {"n": {"g": "5G"}}}, T.free["n"]["g"] == "5G", True),
    ({"free": {"n": "5G"}}, T.free["n"]["g"] == "5G", False),
    ({"free": {"n": ["5G"]}}, T.free["n"].has("5G"), True),
    ({"free": {"n": "5G"}}, T.free["n"].has("5G"), False),
    ({"free": {"n": ["5G"]}}, T.free["n"] == "5G", False),
    ({"free": {"n": 1}}, T.free["n"] == 1.0, True),
    ({"free": {"n": 1}}, T.free["n"] == True, False),  # noqa: E712 - asks
    ({"free": {"n": True}}, T.free["n"] == 1, False),
    ({"free": {"n": True}}, T.free["n"] >= 0, False),
    ({"free": {"n": 7}}, T.free["n"] < 7.5, True),
    ({"free": {"n": "5"}}, T.free["n"] > 3, False),
    ({"free": {"n": "5"}}, ~(T.free["n"] > 3), True),
    ({"free": {"n": None}}, T.free["n"].exists(), False),
    ({"free": {"n": {}}}, T.free["n"].exists(), True),
    ({"free": {"n": 2}}, T.free["n"].one_of(["2", 2]), True),
    ({"free": {"n": [1, True]}}, T.free["n"].has(False), False),
    # combined
    ({"how_many": 1, "name": "a"}, (T.how_many == 1) & (T.name == "a"), True),
    ({"how_many": 1, "name": "a"}, (T.how_many == 2) | (T.name == "a"), True),
    ({"how_many": 1}, T.is_open | (T.how_many == 2), False),
]


@pytest.mark.parametrize("case", range(len(MEANS)), ids=lambda n: f"{n} {MEANS[n][1]}")
def test_a_condition_means(case: int) -> None:
    values, condition, expected = MEANS[case]

    assert satisfies(to_stored(Thing(**values)), condition) is expected


def test_what_is_not_in_the_store_is_none() -> None:
    assert satisfies({}, T.name == None)  # noqa: E711 - asks
    assert satisfies({}, T.side.width != 1)
    assert not satisfies({"side": "text", "sides": [5], "tags": "b"}, T.tags.has("b"))
    assert not satisfies({"sides": [5]}, T.sides.any(Side.width != 1))


names = st.none() | st.sampled_from(["", "a", "ab", "B", "ä"])
numbers = st.none() | st.integers(-2, 2)
frees = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["1", "a", 1.0, 0.5])
records = st.builds(
    Thing,
    name=names,
    how_many=numbers,
    price=st.none() | st.sampled_from([Decimal("1.0"), Decimal(1), Decimal("0.5")]),
    is_open=st.booleans(),
    side=st.none() | st.builds(Side, width=st.integers(-1, 1)),
    free=st.fixed_dictionaries({}, optional={"n": frees | st.lists(frees, max_size=2)}),
)
values = st.sampled_from(["", "a", "1", 1, 0.5, True])
leaves = st.one_of(
    names.map(lambda name: T.name == name),
    st.sampled_from(["a", "ab"]).map(lambda name: T.name < name),
    st.integers(-2, 2).map(lambda n: T.how_many >= n),
    st.integers(-2, 2).map(lambda n: T.side.width != n),
    st.lists(numbers, max_size=2).map(T.how_many.one_of),
    values.map(lambda v: T.free["n"] == v),
    st.sampled_from(["", "a", 1, 0.5]).map(lambda v: T.free["n"] <= v),
    values.map(T.free["n"].has),
    st.just(~~(T.price > 0)),
    st.just(T.side.exists()),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        inner.map(lambda one: ~one),
    ),
    max_leaves=5,
)


@given(records, conditions, conditions)
def test_there_is_no_third_answer(record: Thing, one: Condition, two: Condition) -> None:
    stored = to_stored(record)
    a, b = satisfies(stored, one), satisfies(stored, two)

    assert satisfies(stored, ~one) is not a
    assert satisfies(stored, one & two) is (a and b)
    assert satisfies(stored, one | two) is (a or b)
    assert satisfies(stored, ~(one & two)) == satisfies(stored, ~one | ~two)
    assert satisfies(stored, one | ~one)


@given(records, st.integers(-2, 2))
def test_smaller_equal_and_greater_are_three_cases_or_none(record: Thing, n: int) -> None:
    stored = to_stored(record)
    found = [
        satisfies(stored, asked) for asked in (T.how_many < n, T.how_many == n, T.how_many > n)
    ]

    assert sum(found) == (record.how_many is not None)
    assert satisfies(stored, T.how_many <= n) == (found[0] or found[1])
    assert satisfies(stored, T.how_many >= n) == (found[2] or found[1])


@given(st.lists(records, max_size=8), st.booleans(), st.booleans())
def test_a_sort_is_total_and_none_comes_first_going_up(
    given_records: list[Thing], name_down: bool, number_down: bool
) -> None:
    orders = [
        Order(T.name.asc().place, descending=name_down),
        Order(T.how_many.asc().place, descending=number_down),
    ]
    stored = [to_stored(record) for record in given_records]

    ranked = sorted(stored, key=lambda one: sort_key(one, orders))

    first = [one["name"] for one in ranked]
    plain = sorted((name for name in first if name is not None), reverse=name_down)
    missing = [None] * first.count(None)
    assert first == (plain + missing if name_down else missing + plain)
    for earlier, later in pairwise(ranked):
        assert not is_after(earlier, orders, position(later, orders))


@given(st.lists(records, max_size=8, unique_by=lambda r: r.how_many), st.integers(0, 7))
def test_what_comes_after_a_position_is_what_follows_in_the_sort(
    given_records: list[Thing], at: int
) -> None:
    orders = [T.how_many.desc()]
    stored = sorted((to_stored(r) for r in given_records), key=lambda one: sort_key(one, orders))
    if at >= len(stored):
        return

    mark = position(stored[at], orders)

    assert [one for one in stored if is_after(one, orders, mark)] == stored[at + 1 :]


def edited(values: dict[str, Any], *edits: Any) -> dict[str, Any]:
    stored = to_stored(Thing(**values))
    apply(stored, edits)
    return stored


def test_edits_change_what_is_there() -> None:
    values = {"how_many": 1, "tags": ["a"], "side": Side(width=1), "free": {"n": 1}}
    found = edited(
        values,
        T.how_many.add(-3),
        T.price.add(Decimal("0.10")),
        T.tags.push("b"),
        T.side.width.set(5),
        T.free["n"].set({"x": [1]}),
        T.at.set(NOON),
    )

    assert (found["howMany"], found["price"], found["tags"]) == (-2, Decimal("0.10"), ["a", "b"])
    assert (found["side"]["width"], found["free"], found["at"]) == (5, {"n": {"x": [1]}}, NOON)


def test_the_last_items_of_a_list_are_kept() -> None:
    assert edited({"tags": ["a", "b", "c"]}, T.tags.push("d", keep=2))["tags"] == ["c", "d"]
    assert edited({}, T.tags.push("d", keep=2))["tags"] == ["d"]


def test_a_place_whose_holder_is_not_there_is_not_edited() -> None:
    for values, edit in (
        ({"side": None}, T.side.width.set(1)),
        ({"free": {}}, T.free["a"]["b"].set(1)),
        ({"free": {"a": "text"}}, T.free["a"]["b"].set(1)),
    ):
        with pytest.raises(ConditionError, match="is not there; set the whole of it first"):
            edited(values, edit)


def test_a_number_does_not_leave_its_range() -> None:
    for values, edit in (
        ({"how_many": 2**63 - 1}, T.how_many.add(1)),
        ({"price": Decimal("9" * 34)}, T.price.add(Decimal("0.1"))),
        ({"rate": 1.7e308}, T.rate.add(1.7e308)),
    ):
        with pytest.raises(ConstraintError, match="would leave the range of its type"):
            edited(values, edit)


def test_a_number_reaches_the_ends_of_its_range() -> None:
    assert edited({"how_many": -(2**63) + 1}, T.how_many.add(-1))["howMany"] == -(2**63)
    assert edited({"how_many": 2**63 - 2}, T.how_many.add(1))["howMany"] == 2**63 - 1


def test_only_numbers_grow_and_only_lists_take_items() -> None:
    with pytest.raises(ConditionError, match="no number there"):
        apply({"howMany": "text"}, [T.how_many.add(1)])
    with pytest.raises(ConditionError, match="is no list there"):
        apply({"tags": "text"}, [T.tags.push("a")])


@given(st.decimals(-(10**9), 10**9, places=4), st.decimals(-(10**9), 10**9, places=2))
def test_decimals_add_up_exactly(one: Decimal, two: Decimal) -> None:
    found = edited({"price": one}, T.price.add(two))

    assert found["price"] == one + two


def test_scalars_are_the_same_by_type_and_value() -> None:
    assert is_same(1, 1.0)
    assert is_same(Decimal("1.0"), 1)
    assert not is_same(1, True)
    assert not is_same("1", 1)
    assert not is_same([1], [1])
    assert is_same(None, None)


def test_a_copy_shares_nothing() -> None:
    stored = to_stored(Thing(free={"a": [1]}, sides=[Side()]))

    twin = copied(stored)
    twin["free"]["a"].append(2)
    twin["sides"][0]["width"] = 3

    assert stored["free"] == {"a": [1]}
    assert stored["sides"][0]["width"] == 0
