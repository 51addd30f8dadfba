"""Upgrades bring an older stored record to the declared schema, one number after the other."""

from typing import Any

import pytest

from rightstore.errors import UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.model.record import from_stored
from rightstore.model.upgrade import check_upgrades, upgrade


class Person(Entity, schema=3, rename="camel"):
    id: Field[str]
    full_name: Field[str]
    age: Field[int] = field(default=0)


@upgrade(Person, to=2)
def join_names(old: dict[str, Any]) -> dict[str, Any]:
    return {"id": old["id"], "name": f"{old['first']} {old['last']}"}


@upgrade(Person, to=3)
def rename_name(old: dict[str, Any]) -> dict[str, Any]:
    return {"id": old["id"], "fullName": old["name"], "age": 1}


class Gap(Entity, schema=3):
    id: Field[str]


@upgrade(Gap, to=3)
def forget(old: dict[str, Any]) -> dict[str, Any]:
    return old


def test_each_older_schema_goes_through_every_later_upgrade() -> None:
    first = {"id": "a", "first": "Ada", "last": "L"}

    assert from_stored(Person, first, version=1, schema=1).full_name == "Ada L"
    assert from_stored(Person, {"id": "a", "name": "B"}, version=1, schema=2).age == 1
    assert from_stored(Person, {"id": "a", "fullName": "C"}, version=1, schema=3).age == 0


def test_a_record_of_a_newer_schema_is_read_as_far_as_it_is_known() -> None:
    newer = {"id": "a", "fullName": "C", "nick": "x"}

    assert from_stored(Person, newer, version=1, schema=4).full_name == "C"


def test_an_upgrade_stays_a_plain_function() -> None:
    assert join_names({"id": "a", "first": "x", "last": "y"}) == {"id": "a", "name": "x y"}


def test_a_gap_between_schemas_is_refused_at_start_and_on_read() -> None:
    check_upgrades(declaration_of(Person))

    with pytest.raises(UsageError, match="Gap has schema=3 but no upgrade to 2: declare @upgrade"):
        check_upgrades(declaration_of(Gap))
    with pytest.raises(UsageError, match="no upgrade to 2"):
        from_stored(Gap, {"id": "a"}, version=1, schema=1)


def test_an_upgrade_that_returns_nothing_is_named() -> None:
    class Silent(Entity, schema=2):
        id: Field[str]

    @upgrade(Silent, to=2)
    def nothing(old: dict[str, Any]) -> dict[str, Any]:
        return None  # type: ignore[return-value]  # on purpose

    with pytest.raises(UsageError, match="Silent: the upgrade to 2 gave no dict"):
        from_stored(Silent, {"id": "a"}, version=1, schema=1)
