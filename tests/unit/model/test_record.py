"""Records in stored form and back: exact, or refused where some store would bend a value."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightstore import codec
from rightstore.errors import ConstraintError, CorruptDataError, RightstoreError, UsageError
from rightstore.model import scalar
from rightstore.model.entity import Entity, version_of
from rightstore.model.event import Event, event_of
from rightstore.model.field import Field, Maybe, field
from rightstore.model.part import Part
from rightstore.model.record import (
    copied,
    fact_from_stored,
    fact_to_stored,
    from_stored,
    to_stored,
)


class Color(Enum):
    RED = "r"
    BLUE = "b"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Point(Part):
    made_at: Field[datetime]
    x: Field[float] = field(default=0.0)
    next_point: Maybe["Point"] = field(default=None)


class Thing(Entity, rename="camel"):
    id: Field[str]
    count_of: Field[int] = field(default=0)
    ratio: Field[float] = field(default=0.0)
    is_open: Field[bool] = field(default=False)
    price: Field[Decimal] = field(default=Decimal(0))
    at: Field[datetime | None] = field(default=None)
    day: Field[date | None] = field(default=None)
    ref: Field[UUID | None] = field(default=None, stored_as="REF")
    color: Field[Color] = field(default=Color.RED)
    level: Field[Level | None] = field(default=None)
    state: Field[Literal["on", "off"]] = field(default="on")
    tags: Field[list[str]] = field(default_factory=list)
    sizes: Field[tuple[int, ...]] = field(default=())
    points: Field[list[Point]] = field(default_factory=list)
    point: Maybe[Point] = field(default=None)
    costs: Field[dict[str, Decimal]] = field(default_factory=dict)
    free: Field[dict[str, Any]] = field(default_factory=dict)
    any_thing: Field[Any] = field(default=None)


class Said(Event, name="thing.said", key="id", public=True):
    id: str
    at: datetime
    price: Decimal
    words: tuple[str, ...] = ()


class Listening(Entity):
    id: Field[str]
    heard: Field[int] = field(default=0)

    def __post_init__(self) -> None:
        self.heard += 1


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda d: len(d.as_tuple().digits) <= 34 and abs(int(d.as_tuple().exponent)) < 6000
)
moments = st.datetimes(
    datetime(1, 1, 3),  # noqa: DTZ001 - the strategy adds the zone
    datetime(9999, 12, 29),  # noqa: DTZ001 - the strategy adds the zone
    timezones=st.timezones() | st.just(UTC),
)
cut = moments.map(lambda m: m.replace(microsecond=m.microsecond // 1000 * 1000).astimezone(UTC))
points = st.recursive(
    st.builds(Point, made_at=cut, x=floats),
    lambda inner: st.builds(Point, made_at=cut, x=floats, next_point=inner),
    max_leaves=3,
)
free = st.recursive(
    st.none() | st.booleans() | integers | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
things = st.builds(
    Thing,
    id=texts,
    count_of=integers,
    ratio=floats,
    is_open=st.booleans(),
    price=decimals,
    at=st.none() | cut,
    day=st.none() | st.dates(),
    ref=st.none() | st.uuids(),
    color=st.sampled_from(Color),
    level=st.none() | st.sampled_from(Level),
    state=st.sampled_from(["on", "off"]),
    tags=st.lists(texts, max_size=3),
    sizes=st.lists(integers, max_size=3).map(tuple),
    points=st.lists(points, max_size=2),
    point=st.none() | points,
    costs=st.dictionaries(texts, decimals, max_size=2),
    free=st.dictionaries(texts, free, max_size=3),
    any_thing=free,
)


@given(things, st.integers(0, 2**40))
def test_what_is_stored_comes_back(thing: Thing, version: int) -> None:
    stored = to_stored(thing)

    back = from_stored(Thing, copied(stored), version=version)

    assert back == thing
    assert version_of(back) == version
    assert to_stored(back) == stored
    assert str(back.price) == str(thing.price) or not thing.price


@given(things)
def test_what_is_stored_comes_back_through_json_too(thing: Thing) -> None:
    body = msgspec.json.encode(to_stored(thing))

    assert from_stored(Thing, msgspec.json.decode(body), version=1) == thing


@given(moments)
def test_a_moment_is_kept_in_utc_to_the_millisecond(moment: datetime) -> None:
    kept = to_stored(Thing(id="a", at=moment))["at"]

    assert kept.tzinfo is UTC
    assert timedelta(0) <= moment - kept < timedelta(milliseconds=1)


def test_stored_names_are_camel_inside_parts_too_and_free_keys_are_as_given() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    thing = Thing(
        id="a",
        point=Point(made_at=at),
        free={"some_key": {"in_side": 1}},
        costs={"x_y": Decimal(1)},
    )

    stored = to_stored(thing)

    assert list(stored)[:4] == ["id", "countOf", "ratio", "isOpen"]
    assert stored["REF"] is None
    assert stored["point"] == {"madeAt": at, "x": 0.0, "nextPoint": None}
    assert stored["free"] == {"some_key": {"in_side": 1}}
    assert stored["costs"] == {"x_y": Decimal(1)}
    assert (stored["color"], stored["level"], stored["state"]) == ("r", None, "on")
    assert "_version" not in stored


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


LOOP: dict[str, Any] = {}
LOOP["self"] = LOOP
REFUSED: dict[str, tuple[dict[str, Any], type[RightstoreError], str]] = {
    "naive": ({"at": datetime(2026, 1, 1)}, UsageError, "Thing.at: a datetime must have a zone"),  # noqa: DTZ001 - on purpose
    "naive inside": (
        {"points": [Point(made_at=datetime(2026, 1, 1))]},  # noqa: DTZ001 - on purpose
        UsageError,
        "Thing.points[0].made_at: a datetime must have a zone",
    ),
    "year": (
        {"at": datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))},
        ConstraintError,
        "Thing.at: a datetime must be within the years 1 to 9999",
    ),
    "int": ({"count_of": 2**63}, ConstraintError, "Thing.count_of: an int must fit 64 bits"),
    "int free": ({"free": {"a": {"b": [-(2**63) - 1]}}}, ConstraintError, "Thing.free.(key 0).("),
    "nul": ({"id": "a\0"}, ConstraintError, "Thing.id: U+0000 cannot be stored; strip it"),
    "nul in a key": (
        {"costs": {"a\0": Decimal(1)}},
        ConstraintError,
        "Thing.costs.(key 0): U+0000",
    ),
    "surrogate": ({"tags": ["ok", "\ud800"]}, ConstraintError, "Thing.tags[1]: a lone surrogate"),
    "nan": ({"ratio": float("nan")}, ConstraintError, "Thing.ratio: NaN and Infinity cannot"),
    "infinity": ({"any_thing": float("inf")}, ConstraintError, "Thing.any_thing: NaN and Inf"),
    "decimal nan": ({"price": Decimal("NaN")}, ConstraintError, "Thing.price: NaN and Infinity"),
    "digits": ({"price": Decimal("1" * 35)}, ConstraintError, "Thing.price: a Decimal has at most"),
    "exponent": ({"price": Decimal("1E6112")}, ConstraintError, "Thing.price: a Decimal has at m"),
    "deep": ({"any_thing": nested(100)}, ConstraintError, "nested more than 100 deep"),
    "loop": ({"free": LOOP}, ConstraintError, "nested more than 100 deep, or contains itself"),
    "text for int": ({"count_of": "1"}, UsageError, "Thing.count_of: it is declared int, not str"),
    "bool for int": (
        {"count_of": True},
        UsageError,
        "Thing.count_of: it is declared int, not bool",
    ),
    "int for bool": ({"is_open": 1}, UsageError, "Thing.is_open: it is declared bool, not int"),
    "float for decimal": ({"price": 1.5}, UsageError, "Thing.price: it is declared Decimal, not f"),
    "big int for float": ({"ratio": 2**53 + 1}, ConstraintError, "a float cannot hold this int"),
    "moment for date": (
        {"day": datetime(2026, 1, 1, tzinfo=UTC)},
        UsageError,
        "Thing.day: it is declared date, not datetime",
    ),
    "text for uuid": ({"ref": "a"}, UsageError, "Thing.ref: it is declared UUID, not str"),
    "none": ({"id": None}, UsageError, "Thing.id: it is declared str, not NoneType"),
    "option": ({"state": "of"}, UsageError, "Thing.state: it is none of the declared options"),
    "text for enum": ({"color": "r"}, UsageError, "Thing.color: it is declared Color, not str"),
    "other part": (
        {"point": Thing(id="a")},
        UsageError,
        "Thing.point: it is declared Point, not Th",
    ),
    "dict for part": (
        {"point": {"x": 1}},
        UsageError,
        "Thing.point: it is declared Point, not dict",
    ),
    "set for list": ({"tags": {"a"}}, UsageError, "Thing.tags: it is declared list[str], not set"),
    "list for dict": (
        {"costs": []},
        UsageError,
        "Thing.costs: it is declared dict[decimal], not l",
    ),
    "free moment": (
        {"free": {"at": datetime(2026, 1, 1, tzinfo=UTC)}},
        UsageError,
        "Thing.free.(key 0): a free-form value is JSON, not datetime",
    ),
    "free decimal": (
        {"any_thing": [Decimal(1)]},
        UsageError,
        "Thing.any_thing[0]: a free-form val",
    ),
    "free key": ({"free": {1: "a"}}, UsageError, "Thing.free.(key 0): it is declared str, not int"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_kept_is_refused_with_entity_field_and_remedy(case: str) -> None:
    values, kind, expected = REFUSED[case]
    thing = Thing(**({"id": "a"} | values))

    with pytest.raises(kind) as refused:
        to_stored(thing)

    assert type(refused.value) is kind
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_fits_just_so_is_kept() -> None:
    thing = Thing(id="", count_of=-(2**63), any_thing=nested(99), ratio=-0.0, price=Decimal("-0.0"))

    stored = to_stored(thing)

    assert stored["anyThing"] == nested(99)
    assert str(stored["ratio"]) == "0.0"
    assert str(stored["price"]) == "0.0"


def test_a_value_of_a_subclass_is_kept_as_the_plain_one() -> None:
    class Text(str):
        __slots__ = ()

    class Id(UUID):
        pass

    class Moment(datetime):
        pass

    class Day(date):
        pass

    class Money(Decimal):
        pass

    thing = Thing(
        id=Text("a"),
        count_of=Level.HIGH,
        ref=Id(int=5),
        ratio=3,
        at=Moment(2026, 1, 2, tzinfo=UTC),
        day=Day(2026, 1, 2),
        price=Money("1.10"),
    )

    stored = to_stored(thing)

    names = ("id", "countOf", "REF", "ratio", "at", "day", "price")
    kinds = [str, int, UUID, float, datetime, date, Decimal]
    assert [type(stored[name]) for name in names] == kinds
    assert from_stored(Thing, stored, version=0) == thing


UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({}, "Thing.id: it is missing"),
    "type": ({"id": 5}, "Thing.id: it is declared str, not int"),
    "option": ({"id": "a", "color": "x"}, "Thing.color: it is no Color"),
    "text of a decimal": ({"id": "a", "price": "1,5"}, "Thing.price: it is no text of a Decimal"),
    "text of a moment": ({"id": "a", "at": "2026-01-01T00:00"}, "Thing.at: its text has no zone"),
    "part": ({"id": "a", "point": []}, "Thing.point: it is declared Point, not list"),
    "inside": ({"id": "a", "points": [{"x": 1}]}, "Thing.points[0].made_at: it is missing"),
    "no list": ({"id": "a", "tags": "x"}, "Thing.tags: it is declared list[str], not str"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_does_not_fit_the_declaration_is_corrupt(case: str) -> None:
    stored, expected = UNREADABLE[case]

    with pytest.raises(CorruptDataError) as refused:
        from_stored(Thing, stored, version=1, store="mongodb")

    assert expected in str(refused.value)
    assert refused.value.store == "mongodb"
    assert refused.value.outcome == "not applied"


def test_unknown_names_are_left_out_and_missing_ones_get_their_default() -> None:
    back = from_stored(Thing, {"id": "a", "gone": 1}, version=3)

    assert back == Thing(id="a")
    assert back.tags is not from_stored(Thing, {"id": "a"}, version=3).tags


def test_post_init_runs_when_a_record_is_read_as_when_it_is_made() -> None:
    assert from_stored(Listening, {"id": "a", "heard": 5}, version=1).heard == 6


@given(texts, cut, decimals)
def test_facts_come_back(key: str, at: datetime, price: Decimal) -> None:
    fact = Said(id=key, at=at, price=price, words=("a", key))

    stored = fact_to_stored(fact)

    assert fact_from_stored(Said, stored) == fact
    assert fact_from_stored(Said, codec.decode(codec.encode(stored))) == fact


def test_a_fact_declares_its_name_key_and_audience() -> None:
    found = event_of(Said)

    assert (found.name, found.key, found.public, found.personal) == ("thing.said", "id", True, None)
    with pytest.raises(UsageError, match="Thing is no event"):
        event_of(Thing)


def test_a_fact_that_cannot_be_kept_is_refused_by_name() -> None:
    fact = Said(id="a", at=datetime(2026, 1, 1), price=Decimal(1))  # noqa: DTZ001 - on purpose

    with pytest.raises(UsageError, match=r"thing\.said\.at: a datetime must have a zone"):
        fact_to_stored(fact)


def test_the_bounds_of_a_decimal_are_those_of_the_codec() -> None:
    names = ("MAX_INTEGER", "MAX_DIGITS", "MIN_EXPONENT", "MAX_EXPONENT")

    assert [getattr(scalar, name) for name in names] == [
        getattr(codec.value, name) for name in names
    ]


def test_an_attribute_that_nobody_declared_is_refused() -> None:
    class Book(Entity):
        id: Field[str]
        price: Field[int] = field(default=0)

        @cached_property
        def double(self) -> int:
            return self.price * 2

    book: Any = Book(id="a", price=2)
    assert book.double == 4
    assert to_stored(book) == {"id": "a", "price": 2}
    book.pricee = 3

    with pytest.raises(UsageError, match=r"Book\.pricee is no field, and would be lost"):
        to_stored(book)
