"""What `once` keeps of arguments and results: exact, typed, or refused by name."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from rightstore.errors import UsageError
from rightstore.model.entity import stamp, version_of
from rightstore.repository.parcel import Parcel, fingerprint
from rightstore.testing.contract.sample import Sample

if TYPE_CHECKING:
    from somewhere import Unknown  # type: ignore[import-not-found]  # that is what is tested


class Color(Enum):
    RED = "red"


class Draft(BaseModel):
    price: Decimal
    color: Color = Color.RED


@dataclass(frozen=True)
class Receipt:
    total: Decimal
    at: datetime
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Other:
    total: Decimal


async def gives_receipt(arg: Any, tx: Any) -> Receipt: ...  # type: ignore[empty-body]
async def gives_draft(arg: Any, tx: Any) -> list[Draft]: ...  # type: ignore[empty-body]
async def gives_samples(arg: Any, tx: Any) -> dict[str, Sample]: ...  # type: ignore[empty-body]
async def gives_none(arg: Any, tx: Any) -> None: ...
async def gives_text(arg: Any, tx: Any) -> "str | None": ...
async def gives_number(arg: Any, tx: Any) -> int: ...  # type: ignore[empty-body]
async def gives_unknown(arg: Any, tx: Any) -> "Unknown": ...
async def gives_slice(arg: Any, tx: Any) -> slice: ...  # type: ignore[empty-body]
async def gives_mixture(arg: Any, tx: Any) -> Receipt | Other: ...  # type: ignore[empty-body]
async def gives_anything(arg, tx): ...  # type: ignore[no-untyped-def]  # it does not say


MOMENT = datetime(2030, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


@pytest.mark.parametrize(
    ("do", "result"),
    [
        (gives_receipt, Receipt(Decimal("1.10"), MOMENT, (1, 2))),
        (gives_draft, [Draft(price=Decimal("0.10"))]),
        (gives_none, None),
        (gives_text, None),
        (gives_text, "a\0b"),
        (gives_anything, [Decimal("1.0"), date(2030, 1, 1), timedelta(1), UUID(int=1), b"x"]),
    ],
)
def test_a_result_comes_back_as_it_was(do: Any, result: object) -> None:
    parcel: Parcel[object] = Parcel(do)

    back = parcel.unpack(parcel.pack(result))

    assert back == result


def test_a_record_in_a_result_keeps_its_version() -> None:
    parcel: Parcel[dict[str, Sample]] = Parcel(gives_samples)
    sample = Sample(id="a", price=Decimal("1.10"))
    stamp(sample, 7)

    back = parcel.unpack(parcel.pack({"a": sample}))

    assert (back["a"], version_of(back["a"])) == (sample, 7)


def test_a_result_that_is_not_what_the_function_says_is_refused() -> None:
    parcel: Parcel[Any] = Parcel(gives_number)

    with pytest.raises(UsageError, match="gives_number: what it gave does not fit"):
        parcel.pack("secret")


def test_a_result_that_nobody_keeps_is_refused() -> None:
    parcel: Parcel[Any] = Parcel(gives_anything)

    for value in (slice(1), float("nan"), 2**64):
        with pytest.raises(UsageError, match="once= cannot keep its result"):
            parcel.pack(value)


@pytest.mark.parametrize(
    ("do", "complaint"),
    [
        (gives_unknown, "its return annotation cannot be read"),
        (gives_slice, "cannot keep what it returns: slice"),
        (gives_mixture, "cannot keep what it returns: Type unions"),
    ],
)
def test_a_return_annotation_that_nobody_can_keep_is_refused_at_once(
    do: Any, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        Parcel(do)


def test_equal_arguments_have_one_fingerprint() -> None:
    one, two = Sample(id="a"), Sample(id="a")
    stamp(two, 3)

    assert fingerprint("f", one) == fingerprint("f", two)
    assert fingerprint("f", {"a": 1, "b": [2]}) == fingerprint("f", {"b": [2], "a": 1})
    assert fingerprint("f", {"x", "y", "z"}) == fingerprint("f", {"z", "y", "x"})
    assert fingerprint("f", Draft(price=Decimal(1))) == fingerprint("f", Draft(price=Decimal(1)))


@pytest.mark.parametrize("other", [1.0, Decimal(1), "1", True, [1], None])
def test_other_arguments_have_other_fingerprints(other: object) -> None:
    assert fingerprint("f", 1) != fingerprint("f", other)


def test_an_argument_that_has_no_fingerprint_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)

    for value in (slice(1), float("nan"), endless, gives_none):
        with pytest.raises(UsageError, match="f: once= cannot keep this argument"):
            fingerprint("f", value)


def test_a_result_that_nothing_says_how_to_make_again_is_refused() -> None:
    unannotated = Parcel[Any](gives_anything)

    assert unannotated.unpack(unannotated.pack([1, {"a": None}])) == [1, {"a": None}]
    with pytest.raises(UsageError, match="without an annotation"):
        unannotated.pack(Sample(id="a"))
