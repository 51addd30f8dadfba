"""Cursors: where a page ended, for the same query only, whatever comes in from outside."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightstore import codec
from rightstore.errors import InvalidQueryError
from rightstore.model.cursor import decode_cursor, encode_cursor
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.evaluate import position
from rightstore.model.field import Field, field
from rightstore.model.query import condition, orders
from rightstore.model.record import to_stored


class Thing(Entity, key=("id", "part"), rename="camel"):
    id: Field[str]
    part: Field[int] = field(default=0)
    price: Field[Decimal | None] = field(default=None)
    made_at: Field[datetime | None] = field(default=None)
    day: Field[date | None] = field(default=None)
    ref: Field[UUID | None] = field(default=None)
    is_open: Field[bool] = field(default=False)
    rate: Field[float] = field(default=0.0)


class Other(Entity, key=("id", "part")):
    id: Field[str]
    part: Field[int]


T: Any = Thing
THING = declaration_of(Thing)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
things = st.builds(
    Thing,
    id=texts,
    part=st.integers(-(2**63), 2**63 - 1),
    price=st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=3),
    made_at=st.none() | st.datetimes(datetime(1, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    day=st.none() | st.dates(),
    ref=st.none() | st.uuids(),
    is_open=st.booleans(),
    rate=st.floats(allow_nan=False, allow_infinity=False),
)
fields = ["price", "made_at", "day", "ref", "is_open", "rate", "id"]
sorts = st.lists(
    st.tuples(st.sampled_from(fields), st.booleans()), max_size=4, unique_by=lambda s: s[0]
)


@given(things, sorts)
def test_a_cursor_gives_its_position_back(thing: Thing, sort: list[tuple[str, bool]]) -> None:
    asked = [
        getattr(T, name).desc() if is_down else getattr(T, name).asc() for name, is_down in sort
    ]
    order = orders(THING, asked)
    mark = position(to_stored(thing), order)

    cursor = encode_cursor(THING, None, order, mark)

    assert decode_cursor(THING, None, order, cursor) == mark
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&? ")


def test_the_key_is_always_the_end_of_the_order() -> None:
    found = orders(THING, [T.part.desc(), T.price.asc()])

    assert [(o.place.steps[0], o.descending) for o in found] == [
        ("part", True),
        ("price", False),
        ("id", False),
    ]
    assert [o.descending for o in orders(THING, [T.price.desc()])] == [True, True, True]


def cursor_of(where: Any, order: Any, kind: Any = THING) -> str:
    return encode_cursor(kind, where, order, [None] * len(order))


def test_a_cursor_holds_while_the_values_of_the_condition_change() -> None:
    order = orders(THING, [])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    first, second = (
        condition(THING, [T.made_at > start + timedelta(days=n), ~T.is_open]) for n in (1, 2)
    )

    cursor = encode_cursor(THING, first, order, ["a", 1])

    assert decode_cursor(THING, second, order, cursor) == ("a", 1)


def test_a_cursor_of_another_query_is_refused() -> None:
    where, order = condition(THING, [T.price > 1]), orders(THING, [T.price.asc()])
    strangers = [
        cursor_of(None, order),
        cursor_of(condition(THING, [T.price >= 1]), order),
        cursor_of(condition(THING, [~(T.price > 1)]), order),
        cursor_of(where, orders(THING, [T.price.desc()])),
        cursor_of(where, orders(THING, [T.rate.asc()])),
        cursor_of(None, orders(declaration_of(Other), []), declaration_of(Other)),
    ]

    assert decode_cursor(THING, where, order, cursor_of(where, order)) == (None, None, None)
    for stranger in strangers:
        with pytest.raises(InvalidQueryError, match="does not belong to this query of Thing"):
            decode_cursor(THING, where, order, stranger)


def forged(values: object) -> str:
    order = orders(THING, [])
    mark = urlsafe_b64decode(cursor_of(None, order) + "==")[:8]
    return urlsafe_b64encode(mark + codec.encode(values)).decode().rstrip("=")


@pytest.mark.parametrize(
    "values",
    [["a"], ["a", 1, 2], {"$gt": ""}, "a", ["a", "1"], [{"$gt": ""}, 1], [["a"], 1], ["a\0", 1]],
)
def test_a_forged_position_is_refused(values: object) -> None:
    with pytest.raises(InvalidQueryError):
        decode_cursor(THING, None, orders(THING, []), forged(values))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: urlsafe_b64encode(b).decode()))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        decode_cursor(THING, None, orders(THING, []), text)


def test_a_long_text_is_refused_unread() -> None:
    with pytest.raises(InvalidQueryError):
        decode_cursor(THING, None, orders(THING, []), "A" * 20_000)
