"""Keys: checked, and as one text that sorts as they do and that no two share."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightstore.errors import ConstraintError, UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.model.key import Key, decode_key, encode_key, key_of, key_values


class Named(Entity, key="sku"):
    sku: Field[str]


class Numbered(Entity):
    id: Field[int]


class Paired(Entity, key=("user_id", "number", "ref")):
    user_id: Field[str]
    number: Field[int]
    ref: Field[UUID] = field(default=UUID(int=1))


NAMED, NUMBERED, PAIRED = map(declaration_of, (Named, Numbered, Paired))
texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=5
) | st.text("\x01\x02\x03a", min_size=1, max_size=4)
integers = st.integers(-(2**63), 2**63 - 1)
keys = st.tuples(texts, integers, st.uuids())


@given(texts)
def test_a_key_of_one_text_is_that_text(key: str) -> None:
    assert encode_key(NAMED, key) == key
    assert decode_key(NAMED, key) == key


@given(integers, integers)
def test_numbers_sort_as_text(one: int, two: int) -> None:
    a, b = encode_key(NUMBERED, one), encode_key(NUMBERED, two)

    assert decode_key(NUMBERED, a) == one
    assert (a < b) == (one < two)
    assert (a == b) == (one == two)


@given(keys, keys)
def test_keys_of_several_fields_sort_as_text_and_share_none(
    one: tuple[str, int, UUID], two: tuple[str, int, UUID]
) -> None:
    a, b = encode_key(PAIRED, one), encode_key(PAIRED, two)

    assert decode_key(PAIRED, a) == one
    assert (a < b) == (one < two)
    assert (a.encode() < b.encode()) == (one < two)
    assert (a == b) == (one == two)


@given(texts, texts, integers)
def test_a_longer_part_does_not_run_into_the_next(one: str, two: str, n: int) -> None:
    a, b = (
        encode_key(PAIRED, (one, n, UUID(int=1))),
        encode_key(PAIRED, (one + two, n, UUID(int=0))),
    )

    assert a < b


def test_numbers_are_readable() -> None:
    found = [encode_key(NUMBERED, n) for n in (-10, -9, -1, 0, 5, 42, 2**63 - 1)]

    assert found == sorted(found)
    assert found[3:6] == ["a0", "a5", "b42"]


def test_the_key_of_a_record_is_a_value_or_a_tuple() -> None:
    assert key_of(NAMED, Named(sku="a")) == "a"
    assert key_of(PAIRED, Paired(user_id="u", number=1)) == ("u", 1, UUID(int=1))
    assert key_values(NAMED, "a") == ("a",)


WRONG: list[tuple[Any, Any, type[Exception], str]] = [
    (NAMED, 5, UsageError, "Named.sku: a key: it is declared str, not int"),
    (NAMED, ("a",), UsageError, "Named.sku: a key: it is declared str, not tuple"),
    (NAMED, "", ConstraintError, "Named.sku: a key must not be empty"),
    (NAMED, "a\0", ConstraintError, "Named.sku: a key: U+0000"),
    (NAMED, "ä" * 513, ConstraintError, "Named: a key takes up to 1024 bytes"),
    (NUMBERED, True, UsageError, "Numbered.id: a key: it is declared int, not bool"),
    (NUMBERED, 2**63, ConstraintError, "Numbered.id: a key: an int must fit 64 bits"),
    (PAIRED, "u", UsageError, "Paired: its key is (user_id, number, ref): pass a tuple of 3"),
    (PAIRED, ("u", 1), UsageError, "Paired: its key is (user_id, number, ref)"),
    (PAIRED, ["u", 1, UUID(int=1)], UsageError, "pass a tuple of 3"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_a_wrong_key_is_refused(case: int) -> None:
    declaration, key, kind, expected = WRONG[case]

    with pytest.raises(kind) as refused:
        encode_key(declaration, key)

    assert expected in str(refused.value)


@given(st.text(max_size=12))
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    try:
        found: Key = decode_key(PAIRED, text)
    except UsageError:
        return
    assert encode_key(PAIRED, found) == text


def test_only_the_very_text_of_a_key_is_taken() -> None:
    for text in ("b5", "a05", "5", "", "-a1", "z1", "a٣"):
        with pytest.raises(UsageError, match="no key of it"):
            decode_key(NUMBERED, text)
