"""What values a field takes, as a value that adapters read. It converts nothing."""

from dataclasses import dataclass
from typing import Any, Literal

Tag = Literal[
    "str",
    "int",
    "float",
    "bool",
    "decimal",
    "datetime",
    "date",
    "uuid",
    "part",
    "list",
    "dict",
    "any",
]
SCALAR: frozenset[Tag] = frozenset(
    {"str", "int", "float", "bool", "decimal", "datetime", "date", "uuid"}
)
# What < and sort mean something for; a bool is asked, a free-form value has no order over types.
ORDERED: frozenset[Tag] = SCALAR - {"bool"}
NUMERIC: frozenset[Tag] = frozenset({"int", "float", "decimal"})
KEYED: frozenset[Tag] = frozenset({"str", "int", "uuid"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: `any` is free-form JSON, `dict` has str keys and items of one kind.

    `python` is the class of a value where the tag leaves it open: the Part, the Enum, list or
    tuple. `options` are the stored values that a Literal or an Enum allows.
    """

    tag: Tag
    optional: bool = False
    python: type[Any] = object
    item: "Kind | None" = None
    options: tuple[str | int, ...] = ()

    @property
    def is_scalar(self) -> bool:
        """Whether one value is stored, not a structure."""
        return self.tag in SCALAR

    @property
    def of(self) -> "Kind":
        """The kind of the items of a list or dict."""
        return self.item or ANY

    def __str__(self) -> str:
        name = self.python.__name__ if self.tag == "part" else self.tag
        inner = f"[{self.item}]" if self.item else ""
        return f"{name}{inner}{' | None' if self.optional else ''}"


ANY = Kind("any")
