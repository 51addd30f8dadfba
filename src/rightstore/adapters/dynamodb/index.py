"""Declared indexes as global secondary indexes: two binary attributes that sort as values do.

The hash attribute is the first field of an index, the range attribute its other fields and the key.
None has a place in it, as everywhere; what is no single value has none in an order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from rightstore.errors import ConstraintError
from rightstore.model.condition import Condition
from rightstore.model.declaration import Declaration
from rightstore.model.evaluate import satisfies, value_at
from rightstore.model.place import Place
from rightstore.model.query import equalities
from rightstore.model.wish import Index

MAX_RANGE = 1024
LONGEST_HASH = 512
_INVERTED = bytes(255 - byte for byte in range(256))
_END = b"\x00"


def sortable(value: Any, *, descending: bool = False) -> bytes:
    """Return bytes that sort as values do; none are the beginning of another value's."""
    found = _ascending(value)
    return found.translate(_INVERTED) if descending else found


def _ascending(value: Any) -> bytes:
    if value is None:
        return b"\x05"
    write = _BYTES.get(type(value))
    return write(value) if write else b"\x70"


def _number(value: Decimal) -> bytes:
    """Sign, then magnitude, then digits; all of it turned round for a negative number."""
    if not value:
        return b"\x80"
    digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    size = (value.adjusted() + 2**15).to_bytes(2) + digits.encode() + _END
    return b"\x81" + size if value > 0 else b"\x7f" + size.translate(_INVERTED)


_BYTES: Mapping[type[Any], Callable[[Any], bytes]] = {
    bool: lambda value: b"\x11" if value else b"\x10",
    int: lambda value: b"\x20" + _number(Decimal(value)),
    float: lambda value: b"\x20" + _number(Decimal(repr(value))),
    Decimal: lambda value: b"\x20" + _number(value),
    str: lambda value: b"\x30" + value.encode() + _END,
    datetime: lambda value: b"\x40" + value.isoformat(timespec="milliseconds").encode() + _END,
    date: lambda value: b"\x41" + value.isoformat().encode(),
    UUID: lambda value: b"\x50" + value.bytes,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One level of an index: a place, and which way it goes."""

    place: Place
    descending: bool

    def bytes_of(self, value: Any) -> bytes:
        """Return what stands for this value in the range attribute."""
        return sortable(value, descending=self.descending)


@dataclass(frozen=True)
class Secondary:
    """A declared index as DynamoDB has it."""

    label: str
    name: str
    first: Place
    rest: tuple[Column, ...]
    where: tuple[Condition, ...]

    @property
    def hash(self) -> str:
        """The attribute of the first field."""
        return f"_h_{self.name}"

    @property
    def range(self) -> str:
        """The attribute of the other fields and the key."""
        return f"_r_{self.name}"

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place that its attributes are made from."""
        return (
            self.first,
            *(column.place for column in self.rest),
            *(condition.place for condition in self.where),  # type: ignore[attr-defined]  # equalities have one
        )

    def attributes(self, data: Mapping[str, Any]) -> dict[str, dict[str, bytes]]:
        """Return the attributes of a record; none when the index does not hold it."""
        if not all(satisfies(data, condition) for condition in self.where):
            return {}
        place = b"".join(column.bytes_of(value_at(data, column.place)) for column in self.rest)
        if len(place) > MAX_RANGE:
            raise ConstraintError(
                f"{self.label}: its fields and the key take up to {MAX_RANGE} bytes together in "
                "dynamodb: shorten them."
            )
        return {
            self.hash: {"B": hashed(value_at(data, self.first))},
            self.range: {"B": place},
        }


def hashed(value: Any) -> bytes:
    """Return what stands for a value in a hash attribute; of a long one its fingerprint."""
    found = sortable(value)
    return found if len(found) <= LONGEST_HASH else b"\x7e" + blake2b(found).digest()


def secondaries(declaration: Declaration) -> tuple[Secondary, ...]:
    """Return the indexes of an entity, in the order of their declaration."""
    return tuple(_secondary(declaration, index) for index in declaration.indexes)


def _secondary(declaration: Declaration, index: Index) -> Secondary:
    columns = [Column(declaration.place(path), down) for path, down in index.columns]
    named = {column.place.steps for column in columns}
    down = columns[-1].descending
    keys = [
        Column(declaration.place(name), down) for name in declaration.key if (name,) not in named
    ]
    written = ", ".join([*map(repr, index.fields), *(["where=…"] if index.where else [])])
    return Secondary(
        label=f"{declaration.name}: Index({written})",
        name=_name(index),
        first=columns[0].place,
        rest=(*columns[1:], *keys),
        where=tuple(equalities(declaration, index.where)),
    )


def _name(index: Index) -> str:
    """Return a name that tells what it is to people, and is no other index's."""
    meaning = repr((index.columns, sorted((index.where or {}).items())))
    digest = blake2b(meaning.encode(), digest_size=5).hexdigest()
    return "-".join([*(path for path, _ in index.columns)])[:60] + f"-{digest}"
