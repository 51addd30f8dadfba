"""Edits: changes to one place each, made by the store to what is there. They apply nothing."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rightstore.model.place import Place


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to one place; values are in stored form and never shown."""

    place: Place


@dataclass(frozen=True, slots=True)
class Set(Edit):
    """The place gets this value."""

    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Add(Edit):
    """The number there, 0 when there is none, grows by this amount."""

    amount: int | float | Decimal = field(repr=False)


@dataclass(frozen=True, slots=True)
class Push(Edit):
    """The list there, empty when there is none, gets an item at its end; its last `keep` stay."""

    item: Any = field(repr=False)
    keep: int | None = None
