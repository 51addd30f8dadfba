"""Questions about fields become values; a question without a meaning is refused at its line."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest

from rightstore.errors import InvalidQueryError
from rightstore.model.condition import (
    And,
    AnyOf,
    Compare,
    Condition,
    Has,
    Matches,
    Not,
    OneOf,
    Or,
    StartsWith,
    holds,
)
from rightstore.model.edit import Push, Set
from rightstore.model.entity import Entity
from rightstore.model.field import Field, Maybe, field
from rightstore.model.measure import count
from rightstore.model.part import Part


class Tag(Part):
    long_name: Field[str]


class Variant(Part):
    price: Field[Decimal]
    unit_price: Field[Decimal] = field(default=Decimal(1))
    tags: Field[list[Tag]] = field(default_factory=list)


class Product(Entity, rename="camel"):
    id: Field[str]
    base_price: Field[Decimal]
    is_new: Field[bool] = field(default=False)
    count: Field[int] = field(default=0)
    rate: Field[float] = field(default=0.0)
    ref: Field[UUID | None] = field(default=None)
    state: Field[Literal["on", "off"]] = field(default="on")
    made_at: Field[datetime | None] = field(default=None)
    tags: Field[list[str]] = field(default_factory=list)
    variants: Field[list[Variant]] = field(default_factory=list)
    variant: Maybe[Variant] = field(default=None)
    free: Field[dict[str, Any]] = field(default_factory=dict)
    costs: Field[dict[str, Decimal]] = field(default_factory=dict)


P: Any = Product


def test_a_comparison_holds_the_place_and_the_value_as_it_is_stored() -> None:
    asked = Product.base_price <= 800

    assert isinstance(asked, Compare)
    assert (asked.operator, asked.value, type(asked.value)) == ("<=", 800, Decimal)
    assert asked.place.steps == ("base_price",)
    assert asked.place.stored == ("basePrice",)
    assert asked.place.kind.tag == "decimal"


def test_a_moment_is_compared_as_it_is_stored() -> None:
    vienna = timezone(timedelta(hours=1))
    asked: Any = Product.made_at > datetime(2026, 1, 1, 1, 0, 0, 1999, tzinfo=vienna)

    assert asked.value == datetime(2026, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)


def test_chains_are_flat_and_twice_not_is_nothing() -> None:
    a, b, c = Product.count > 1, Product.count > 2, Product.count > 3

    assert a & b & c == And((a, b, c)) == a & (b & c)
    assert a | b | c == Or((a, b, c))
    assert ~~a == a
    assert ~a == Not(a)
    assert str((a & ~b) | c) == ("((Product.count > ? & ~(Product.count > ?)) | Product.count > ?)")


def test_a_flag_is_a_condition() -> None:
    asked: Any = Product.is_new

    assert holds(asked) == Compare(asked.place, "==", True)
    assert ~Product.is_new == Not(holds(asked))
    assert Product.is_new & (Product.count > 1) == And((holds(asked), Product.count > 1))
    assert (Product.count > 1) | Product.is_new == Or((Product.count > 1, holds(asked)))


def test_none_among_options_becomes_a_question_of_its_own() -> None:
    one: Any = Product.ref.one_of([UUID(int=1)])
    both: Any = Product.ref.one_of([None, UUID(int=1)])

    assert one == OneOf(one.place, (UUID(int=1),))
    assert both == Or((Compare(one.place, "==", None), one))
    assert Product.ref.one_of([None]) == Compare(one.place, "==", None)
    assert Product.ref.one_of([]) == OneOf(one.place, ())


def test_texts_and_lists_are_asked() -> None:
    prefix, item, words = P.id.starts_with("a"), P.tags.has("x"), P.id.matches("Red  SHOES, red")

    assert isinstance(prefix, StartsWith)
    assert isinstance(item, Has)
    assert isinstance(words, Matches)
    assert (prefix.prefix, item.item, words.words) == ("a", "x", ("red", "shoes"))


def test_a_condition_on_parts_takes_the_names_of_the_entity_around_it() -> None:
    inner = (Variant.unit_price < 5) & Variant.tags.any(Tag.long_name == "x")
    asked = Product.variants.any(inner)

    assert isinstance(asked, AnyOf)
    price, tags = asked.where.items  # type: ignore[attr-defined]  # an And
    assert price.place.stored == ("unitPrice",)
    assert tags.where.place.stored == ("longName",)
    assert next(iter(inner.items)).place.stored == ("unit_price",)  # type: ignore[attr-defined]


def test_free_form_and_typed_dicts_are_stepped_into() -> None:
    free, cost = Product.free["a_b"]["c"] == 1, Product.costs["x"] > 1

    assert free.place.stored == ("free", "a_b", "c")  # type: ignore[attr-defined]
    assert cost.value == Decimal(1)  # type: ignore[attr-defined]


def test_parts_are_edited_in_stored_form() -> None:
    edit, push = (
        Product.variant.set(Variant(price=Decimal(1))),
        P.variants.push(Variant(price=Decimal(2)), keep=2),
    )

    assert isinstance(edit, Set)
    assert edit.value == {"price": Decimal(1), "unitPrice": Decimal(1), "tags": []}
    assert isinstance(push, Push)
    assert push.item["unitPrice"] == Decimal(1)
    assert Product.variant.set(None).value is None  # type: ignore[attr-defined]
    assert P.variant.unit_price.set(Decimal(3)).place.stored == ("variant", "unitPrice")


def test_no_condition_and_no_edit_shows_its_values() -> None:
    secret = "s3cret"

    shown = [
        Product.id == secret,
        Product.id.one_of([secret]),
        Product.id.starts_with(secret),
        P.tags.has(secret),
        P.id.set(secret),
        P.tags.push(secret),
    ]

    assert not any(secret in f"{item} {item!r}" for item in shown)


TRUTH: dict[str, Callable[[], object]] = {
    "and": lambda: (Product.count > 1) and (Product.count > 2),
    "or": lambda: (Product.count > 1) or (Product.count > 2),
    "not": lambda: not (Product.count > 1),
    "chained": lambda: 1 < P.count < 3,
    "flag": lambda: not Product.is_new,
    "in": lambda: "x" in P.tags,
    "for": lambda: list(P.free),
    "in free": lambda: "x" in P.free["a"],
}


@pytest.mark.parametrize("case", TRUTH)
def test_python_s_own_logic_raises_type_error_with_the_remedy(case: str) -> None:
    with pytest.raises(TypeError, match=r"use & \| ~|\.has\(item\)|read it from a record"):
        TRUTH[case]()


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "other type": (lambda: P.count == "a", "Product.count: a value to compare with: it is decla"),
    "bool for int": (lambda: P.count == True, "declared int, not bool"),  # noqa: E712 - asks
    "float for decimal": (lambda: P.base_price < 1.5, "declared Decimal, not float"),
    "naive": (lambda: P.made_at > datetime(2026, 1, 1), "must have a zone"),  # noqa: DTZ001
    "nul": (lambda: P.id == "a\0", "Product.id: a value to compare with: U+0000"),
    "nul prefix": (lambda: P.id.starts_with("\0"), "U+0000"),
    "nul word": (lambda: P.id.matches("\0"), "U+0000"),
    "big": (lambda: P.count == 2**63, "64 bits"),
    "option": (lambda: P.state == "of", "none of the declared options"),
    "operator object": (lambda: P.id == {"$gt": ""}, "declared str, not dict"),
    "operator in free": (lambda: P.free["a"] == {"$gt": ""}, "is free-form: compare it with a str"),
    "list in free": (lambda: P.free["a"] == ["x"], "is free-form"),
    "moment in free": (lambda: P.free["a"] > datetime.now(UTC), "is free-form"),  # noqa: TID251
    "none order": (lambda: P.made_at > None, "None has no order; use exists()"),
    "bool order": (lambda: P.is_new > False, "bool has no order"),
    "bool order in free": (lambda: P.free["a"] >= False, "Product.free.a: any has no order"),
    "list": (lambda: P.tags == ["a"], "list[str] is no single value"),
    "list options": (lambda: P.tags.one_of([["a"]]), "list[str] is no single value"),
    "dict": (lambda: P.free == {}, "dict[any] is no single value"),
    "options": (lambda: P.count.one_of(range(10_001)), "one_of takes up to 10000 values"),
    "starts": (lambda: P.count.starts_with("a"), "Product.count: starts_with is for text"),
    "matches": (lambda: P.tags.matches("a"), "Product.tags: matches is for text"),
    "has": (lambda: P.id.has("a"), "Product.id: has is for lists"),
    "has part": (lambda: P.variants.has(1), "has is for single values; use any()"),
    "has type": (lambda: P.tags.has(1), "declared str, not int"),
    "any": (lambda: P.tags.any(Variant.price > 1), "any is for lists of parts"),
    "any of other": (lambda: P.variants.any(Tag.long_name == "x"), "asks about Variant, not about"),
    "any of entity": (lambda: P.variants.any(Product.count > 1), "asks about Variant, not about"),
    "any of bool": (lambda: P.variants.any(True), "bool is no condition"),
    "and text": (lambda: (P.count > 1) & P.id, "Product.id is str, no flag"),
    "and bool": (lambda: (P.count > 1) & True, "bool is no condition"),
    "and count": (lambda: (P.count > 1) & count(), "count() is no condition"),
    "into text": (lambda: P.id["a"], "Product.id is str: there is nothing in it"),
    "step number": (lambda: P.free[0], "takes one key, a printable str"),
    "step empty": (lambda: P.free[""], "takes one key, a printable str"),
    "step dollar": (lambda: P.free["$where"], "no leading '$'"),
    "step dot": (lambda: P.free["a.b"], "no '.'"),
    "step nul": (lambda: P.free["a\0"], "takes one key, a printable str"),
    "sort list": (P.tags.asc, "Product.tags: list[str] has no order"),
    "sort free": (P.free["a"].desc, "Product.free.a: any has no order"),
    "sum text": (P.id.sum, "Product.id: str cannot be added up"),
    "avg": (P.made_at.avg, "has no mean"),
    "max": (P.is_new.max, "bool has no order"),
    "day": (P.id.day, "Product.id is no datetime"),
    "add text": (lambda: P.id.add("a"), "Product.id is str: only numbers grow"),
    "add type": (lambda: P.count.add(1.5), "declared int, not float"),
    "push": (lambda: P.id.push("a"), "Product.id is str, no list"),
    "push keep": (lambda: P.tags.push("a", keep=0), "keep at least 1"),
    "push type": (lambda: P.tags.push(1), "Product.tags: it is declared str, not int"),
    "set type": (lambda: P.count.set(None), "Product.count: it is declared int, not NoneType"),
    "set inside": (
        lambda: P.variant.set(Variant(price=P)),
        "Product.variant.price: it is declared",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_question_without_a_meaning_is_refused_with_field_and_remedy(case: str) -> None:
    ask, expected = REFUSED[case]

    with pytest.raises(InvalidQueryError) as refused:
        ask()

    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_field_is_missed_as_any_attribute() -> None:
    with pytest.raises(AttributeError, match="nme"):
        _ = P.nme
    with pytest.raises(AttributeError, match=r"Product\.variant has no field 'nme'"):
        _ = P.variant.nme


def test_conditions_are_values() -> None:
    one, two = Product.count > 1, Product.count > 1

    assert one == two
    assert hash(one) == hash(two)
    assert isinstance(one, Condition)
