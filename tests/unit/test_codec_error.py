"""Errors that are stored and read again."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightstore import errors
from rightstore.codec import decode, decode_error, encode, encode_error
from rightstore.errors import (
    CorruptDataError,
    InProgressError,
    RightstoreError,
    StateError,
    StepFailedError,
    StoreError,
    UnavailableError,
)

PLAIN = [
    kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type)
    and issubclass(kind, RightstoreError)
    and kind.__init__ is RightstoreError.__init__
]
OF_STORES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, StoreError)
]


class PaymentDeclinedError(StepFailedError):
    """An application's own error."""


@pytest.mark.parametrize("kind", PLAIN)
def test_an_error_comes_back_as_itself(kind: type[RightstoreError]) -> None:
    back = decode_error(encode_error(kind("The order is gone.")))

    assert type(back) is kind
    assert back.args == ("The order is gone.",)
    assert vars(back) == {}


@pytest.mark.parametrize("kind", OF_STORES)
@pytest.mark.parametrize("outcome", ["not applied", "unknown"])
def test_an_error_of_a_store_keeps_what_a_retry_decides_by(
    kind: type[StoreError], outcome: errors.Outcome
) -> None:
    error = kind("No answer.", store="postgres", operation="put", outcome=outcome, retry_after=1.5)

    back = decode_error(encode_error(error))

    assert type(back) is kind
    assert back.args == error.args
    assert vars(back) == vars(error)


def test_an_error_that_says_later_keeps_when() -> None:
    back = decode_error(encode_error(InProgressError("Wait.", retry_after=3)))

    assert type(back) is InProgressError
    assert back.retry_after == 3.0


def test_an_error_of_an_application_comes_back_as_what_it_inherits_from() -> None:
    back = decode_error(encode_error(PaymentDeclinedError("Declined.")))

    assert type(back) is StepFailedError
    assert str(back) == "Declined."


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["BrandNewError", "StateError", "RightstoreError"], StateError),
        (["_LaterError", "Exception", "os.system", "Literal"], RightstoreError),
        ([], RightstoreError),
    ],
)
def test_an_unknown_name_is_the_nearest_kind_that_is_known(
    kinds: list[str], expected: type[RightstoreError]
) -> None:
    back = decode_error(encode({"kinds": kinds, "message": "New.", "colour": "red"}))

    assert type(back) is expected


def test_storing_an_error_never_fails() -> None:
    error = UnavailableError(
        "\ud800 gone", store="re\udfffdis", operation="get", retry_after=math.inf
    )

    back = decode_error(encode_error(error))

    assert back.args == ("? gone",)
    assert back.retry_after is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"kinds": "StateError", "message": "x"},
        {"kinds": [1], "message": "x"},
        {"kinds": ["StateError"], "message": None},
        {"kinds": ["StoreError"], "message": "x", "outcome": "applied"},
        {"kinds": ["StoreError"], "message": "x", "retry_after": "soon"},
    ],
)
def test_a_value_that_is_no_error_is_corrupt(value: object) -> None:
    with pytest.raises(CorruptDataError, match="not an error") as refusal:
        decode_error(encode(value), store="postgres", operation="answer")

    assert (refusal.value.store, refusal.value.operation) == ("postgres", "answer")


@given(st.binary(max_size=40))
def test_no_bytes_make_it_fail_in_another_way(data: bytes) -> None:
    with pytest.raises(CorruptDataError):
        decode_error(data)


def test_an_error_is_an_ordinary_value_of_the_codec() -> None:
    assert decode(encode_error(StateError("No."))) == {
        "kinds": ["StateError", "RightstoreError"],
        "message": "No.",
        "retry_after": None,
    }
