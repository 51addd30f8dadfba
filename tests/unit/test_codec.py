"""Values to bytes and back: exact round trips, refusals that name the place, hostile bytes."""

import math
import sys
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Context, Decimal, InvalidOperation, localcontext
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rightstore.codec import canonical, decode, encode
from rightstore.errors import CorruptDataError, UsageError

PARIS = timezone(timedelta(hours=2))
DECIMALS = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=34),
    st.integers(-6176, 6111),
)
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    DECIMALS,
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0)),
    st.dates(),
    st.times().map(lambda moment: moment.replace(fold=0)),
    st.timedeltas(),
    st.binary(),
    st.uuids(),
)
KEYS = st.text(max_size=8) | st.sampled_from(
    ["$", "$$", "$decimal", "$$decimal", "$uuid", "$$bytes", "$x"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


class Colour(IntEnum):
    RED = 1


class DriverUUID(UUID):
    """What some drivers give instead of a plain UUID."""


def exact(value: Any) -> Any:
    """Return something that is equal only for values of the same types, signs, digits and order."""
    if isinstance(value, dict):
        return dict, [(key, exact(item)) for key, item in value.items()]
    if isinstance(value, list):
        return list, [exact(item) for item in value]
    return type(value), repr(value)


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


@given(VALUES)
@example(-0.0)
@example(1.0)
@example(5e-324)
@example(1.7976931348623157e308)
@example("\x00")
@example(Decimal("1.10"))
@example(Decimal("-0E-10"))
@example(Decimal("9" * 34 + "E+6111"))
@example({"$decimal": "1.10"})
@example({"$$decimal": Decimal("1.10")})
@example({"$decimal": "1.10", "b": 1})
@example(timedelta.min)
@example(timedelta.max)
@example(datetime.max.replace(tzinfo=UTC))
@settings(max_examples=200)
def test_what_was_encoded_comes_back_exactly(value: Any) -> None:
    assert exact(decode(encode(value))) == exact(value)


@given(st.datetimes(timezones=st.timezones()))
@settings(max_examples=50)
def test_a_datetime_comes_back_as_the_same_moment_in_utc(moment: datetime) -> None:
    assume(2 <= moment.year <= 9998)

    back = decode(encode(moment))

    assert back.tzinfo is UTC
    assert back == moment.astimezone(UTC)


def test_a_tuple_comes_back_as_a_list() -> None:
    assert decode(encode((1, (2,)))) == [1, [2]]


def test_a_uuid_of_a_driver_comes_back_as_a_plain_one() -> None:
    text = "018c1585-5e7c-7601-b322-5bf9f7478708"

    back = decode(encode({"id": DriverUUID(text)}))

    assert type(back["id"]) is UUID
    assert back["id"] == UUID(text)


def test_the_form_is_readable_and_tagged_with_its_version() -> None:
    value = {"price": Decimal("1.10"), "at": datetime(2026, 1, 2, 3, tzinfo=PARIS), "$": b"hi"}

    assert encode(value) == (
        b'v1 {"price":{"$decimal":"1.10"},'
        b'"at":{"$datetime":"2026-01-02T01:00:00+00:00"},"$":{"$bytes":"aGk="}}'
    )


def test_a_single_key_that_looks_like_a_tag_is_escaped() -> None:
    assert encode({"$uuid": 1}) == b'v1 {"$$uuid":1}'


def test_a_hundred_levels_are_kept_and_one_more_is_refused() -> None:
    assert decode(encode(nested(100))) == nested(100)
    with pytest.raises(UsageError, match="nested more than 100 deep"):
        encode(nested(101))


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(UsageError, match="contains itself"):
        encode(endless)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2**63, "64 bits"),
        (-(2**63) - 1, "64 bits"),
        (math.nan, "finite"),
        (-math.inf, "finite"),
        (Decimal("NaN"), "finite"),
        (Decimal("sNaN"), "finite"),
        (Decimal("Infinity"), "finite"),
        (Decimal("1" * 35), "34 digits"),
        (Decimal("1E+6112"), "exponent"),
        (Decimal("1E-6177"), "exponent"),
        ("ab\ud800", "surrogates"),
        ({"\udfff": 1}, "surrogates"),
        (datetime(2026, 1, 1), "zone"),  # noqa: DTZ001 - that it has none is the point
        (datetime(1, 1, 1, tzinfo=PARIS), "years 1 to 9999"),
        (time(1, 2, tzinfo=UTC), "no zone"),
        ({1: 2}, "a key must be a str"),
        ({1}, "set is not a kind"),
        (Colour.RED, "Colour is not a kind"),
        (OrderedDict(a=1), "OrderedDict is not a kind"),
        (bytearray(b"x"), "bytearray is not a kind"),
        (object(), "object is not a kind"),
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(value: object, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refusal:
        encode([value])

    assert refusal.value.args[0].startswith("The value at $[0]")
    assert refusal.value.__cause__ is None


def test_a_refusal_names_the_place_and_never_the_value() -> None:
    secret = "\ud800 4111 1111 1111 1111"

    with pytest.raises(UsageError) as refusal:
        encode({"x": 1, "a": [1, (2, {"b": secret})]})

    assert "$.a[1][1].b cannot be kept" in str(refusal.value)
    assert "4111" not in str(refusal.value)


@pytest.mark.parametrize("key", ["ann@example.org", "größe", "x" * 65, "", 7])
def test_a_key_that_may_be_personal_is_named_by_its_place(key: object) -> None:
    with pytest.raises(UsageError) as refusal:
        encode({"x": 1, key: {1, 2}})

    assert "$.(key 1) cannot be kept" in str(refusal.value)


def test_the_context_of_the_caller_changes_nothing() -> None:
    value = Decimal("1234567.890E+20")
    careless = Context(prec=2, capitals=0, traps=[])
    strict = Context(prec=2, traps=[InvalidOperation])

    with localcontext(careless):
        data = encode(value)
    with localcontext(strict):
        back = decode(data)

    assert exact(back) == exact(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"v1 ",
        b"v1",
        b"{}",
        b"v2 {}",
        b"v1 {",
        b"v1 {} {}",
        b"v1 nan",
        b"v1 1e999",
        b"v1 9223372036854775808",
        b'v1 {"a":[-9223372036854775809]}',
        b"v1 " + b"1" * 5000,
        b'v1 "\xed\xa0\x80"',
        b'v1 "\\ud800"',
        b"v1 " + b"[" * 101 + b"]" * 101,
        b"v1 " + b"[" * 1_000_000,
        b'v1 {"a":' * 1_000,
        b'v1 {"$unknown":"1"}',
        b'v1 {"$":"1"}',
        b'v1 {"$decimal":1.1}',
        b'v1 {"$decimal":"NaN"}',
        b'v1 {"$decimal":"1e5"}',
        b'v1 {"$decimal":" 1"}',
        b'v1 {"$decimal":"x"}',
        b'v1 {"$decimal":"1E+999999999"}',
        b'v1 {"$decimal":"1E+99999999999999999999999"}',
        b'v1 {"$decimal":"' + b"9" * 100_000 + b'"}',
        b'v1 {"$datetime":"2026-01-01T00:00:00"}',
        b'v1 {"$datetime":"2026-01-01T00:00:00+02:00"}',
        b'v1 {"$datetime":"2026-13-01T00:00:00+00:00"}',
        b'v1 {"$date":"20260101"}',
        b'v1 {"$time":"01:00:00+00:00"}',
        b'v1 {"$timedelta":"1 2"}',
        b'v1 {"$timedelta":"0 86400 0"}',
        b'v1 {"$timedelta":"' + b"9" * 30 + b' 0 0"}',
        b'v1 {"$bytes":"aGk"}',
        b'v1 {"$bytes":"a!Gk="}',
        b'v1 {"$bytes":"aGl="}',
        b'v1 {"$uuid":"{018c1585-5e7c-7601-b322-5bf9f7478708}"}',
    ],
)
def test_bytes_that_we_never_wrote_are_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptDataError):
        decode(data)


@given(st.data())
@settings(max_examples=200)
def test_no_bytes_make_decode_fail_in_another_way(data: st.DataObject) -> None:
    good = encode(data.draw(VALUES))
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 4)))
    noise = data.draw(st.binary(max_size=4) | st.sampled_from([b'{"$', b"[[[", b"1e9", b"\\u"]))

    try:
        value = decode(good[:start] + noise + good[end:])
    except CorruptDataError:
        return

    assert exact(decode(encode(value))) == exact(value)


def test_the_error_says_where_the_bytes_came_from_and_shows_none_of_them() -> None:
    with pytest.raises(CorruptDataError) as refusal:
        decode(b'v1 {"card":"4111 1111', store="redis", operation="get")

    error = refusal.value
    assert (error.store, error.operation, error.outcome) == ("redis", "get", "not applied")
    assert "get read from redis" in str(error)
    assert "4111" not in str(error)
    assert "\n" not in str(error)


def test_the_canonical_form_forgets_the_order_of_keys_and_nothing_else() -> None:
    one = {"b": [1, 2], "a": {"y": 1.0, "x": None}}
    other = {"a": {"x": None, "y": 1.0}, "b": [1, 2]}

    assert canonical(one) == canonical(other) == b'v1 {"a":{"x":null,"y":1.0},"b":[1,2]}'
    assert encode(one) != encode(other)
    assert len({canonical(1), canonical(1.0), canonical(Decimal("1.0")), canonical(True)}) == 4
    assert decode(canonical(one)) == one


def test_the_place_of_a_refusal_is_found_below_a_deep_stack() -> None:
    def descend(levels: int) -> str:
        if levels:
            return descend(levels - 1)
        with pytest.raises(UsageError) as refusal:
            encode(nested(99) | {"z": {1}})
        return str(refusal.value)

    assert "$.z" in descend(sys.getrecursionlimit() // 4)


def test_dates_without_a_time_are_dates() -> None:
    assert type(decode(encode(date(2026, 1, 1)))) is date
