"""Names that are defined later, with annotations as text: they are looked up at the first use."""

from __future__ import annotations

import sys
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

import pytest
from pydantic import TypeAdapter

import rightstore.model.field as fields
from rightstore.errors import UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, Maybe, field
from rightstore.model.part import Part
from rightstore.model.record import from_stored, to_stored
from rightstore.model.wish import Index

if TYPE_CHECKING:
    from decimal import Decimal


class Early(Entity, indexes=[Index("late.at")], rename="camel"):
    TABLE: ClassVar[str] = "early"
    id: Field[str]
    late: Field[Late]
    more: Field[list[Late]] = fields.field(default_factory=list)
    other: fields.Maybe[Late] = field(default=None)


class Late(Part):
    at: Field[datetime | None] = field(default=None)
    in_side: Maybe[Late] = field(default=None)


class Wrong(Entity, indexes=[Index("late.nowhere")]):
    id: Field[str]
    late: Field[Later]


class Later(Part):
    at: Field[datetime]


class Hidden(Entity):
    id: Field[str]
    price: Field[Decimal]


def test_a_part_that_is_declared_later_is_found() -> None:
    assert str(Early.late.at.exists()) == "Early.late.at.exists()"
    assert declaration_of(Early).place("late.in_side.at").stored == ("late", "inSide", "at")


def test_a_part_can_hold_its_own_kind() -> None:
    record = Early(id="a", late=Late(in_side=Late(in_side=Late())), other=Late())

    stored = to_stored(record)

    assert stored["late"]["inSide"]["inSide"] == {"at": None, "inSide": None}
    assert from_stored(Early, stored, version=1) == record


def test_pydantic_reads_the_same_annotations() -> None:
    record = Early(id="a", late=Late())

    assert TypeAdapter(Early).validate_json(TypeAdapter(Early).dump_json(record)) == record


def test_what_import_could_not_judge_is_judged_at_the_first_use() -> None:
    with pytest.raises(UsageError, match=r"Wrong\.late\.nowhere: Index names a field"):
        declaration_of(Wrong)


def test_a_name_that_is_never_defined_is_named() -> None:
    with pytest.raises(UsageError, match=r"Hidden\.price: 'Decimal' is not defined in .*TYPE_CH"):
        _ = Hidden.price
    with pytest.raises(UsageError, match=r"Hidden\.price: 'Decimal' is not defined"):
        declaration_of(Hidden)


def test_annotations_need_no_text_to_point_forward() -> None:
    source = """
from rightstore.model.entity import Entity
from rightstore.model.field import Field, Maybe
from rightstore.model.part import Part

class Tree(Entity):
    id: Field[str]
    root: Field["Node"]
    spare: Maybe["Node"]

class Node(Part):
    children: Field[list["Node"]]
"""
    module = ModuleType("forward_module")
    sys.modules["forward_module"] = module
    try:
        exec(source, vars(module))  # noqa: S102 - text of this test

        tree = module.Tree(
            id="a", root=module.Node(children=[module.Node(children=[])]), spare=None
        )

        assert from_stored(module.Tree, to_stored(tree), version=0) == tree
    finally:
        del sys.modules["forward_module"]
