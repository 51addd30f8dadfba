"""An entity's records as items: the fields by their stored names, and beside them what is ours.

`_v` version, `_w` write id, `_s` schema, `_f` what the item holds (see `Items.form`), `ttl`, the
attributes of indexes; `_deleted` on a tombstone, which has no fields.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any

from rightstore.adapters.dynamodb.index import Secondary, secondaries
from rightstore.adapters.dynamodb.layout import PARTITION, SORT, Keys, Layout, table_of
from rightstore.adapters.dynamodb.value import Attribute, from_attribute, shape_of, to_attribute
from rightstore.errors import ConstraintError, CorruptDataError
from rightstore.model.declaration import Declaration
from rightstore.model.evaluate import satisfies, value_at
from rightstore.model.kind import ANY
from rightstore.model.query import alive, equalities
from rightstore.ports.records import Data, Stored

VERSION, WRITE, SCHEMA, FORM, DELETED, TTL = "_v", "_w", "_s", "_f", "_deleted", "ttl"
OURS = frozenset({PARTITION, SORT, TTL})
MAX_ITEM = 400 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
Item = dict[str, Attribute]


@dataclass(frozen=True, slots=True)
class Found:
    """An item that is there: a record, or a tombstone (`data` is None)."""

    key: str
    version: int
    write_id: str
    schema: int
    data: Data | None
    item: Mapping[str, Attribute]

    def stored(self) -> Stored:
        """Return it as the record that it is."""
        return Stored(self.key, self.version, self.data or {}, self.schema, self.write_id)


class Items:
    """Makes and reads the items of one entity."""

    def __init__(self, declaration: Declaration, namespace: str) -> None:
        self.declaration = declaration
        self.table: str = table_of(namespace, declaration)
        self.layout: Layout = Layout(declaration)

    @cached_property
    def indexes(self) -> tuple[Secondary, ...]:
        """Its indexes."""
        return secondaries(self.declaration)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The stored names of its fields."""
        return tuple(field.stored for field in self.declaration.fields.values())

    @cached_property
    def computed(self) -> str:
        """The first half of `form`: from which declaration the computed attributes were made."""
        wish = self.declaration.retain
        meaning = repr((sorted(index.name for index in self.indexes), wish))
        return blake2b(meaning.encode(), digest_size=4).hexdigest()

    def form(self, names: Collection[str]) -> str:
        """Return what tells items apart that one request may not treat alike.

        Who replaces an item in place must know the names of all fields in it, and who changes a
        field all that is computed from it, or something old stays behind.
        """
        digest = blake2b("\n".join(sorted(names)).encode(), digest_size=4).hexdigest()
        return f"{self.computed}.{digest}"

    def fields(self, data: Data) -> Item:
        """Return the attributes of the fields."""
        shape = shape_of(self.declaration.entity, self.declaration.rename)
        done = {
            name: to_attribute(shape.kinds.get(name, ANY), value, shape.rename)
            for name, value in data.items()
        }
        for name in done:
            if name in OURS or name.startswith("_"):
                raise ConstraintError(f"{self.declaration.name}: the name {name} is dynamodb's own")
        return done

    def extras(self, data: Data) -> Item:
        """Return the attributes that are computed from the fields."""
        done: Item = {}
        for index in self.indexes:
            done |= index.attributes(data)
        return done | self._ttl(data)

    @property
    def extra_names(self) -> tuple[str, ...]:
        """The names of every attribute that may be computed."""
        found = [name for index in self.indexes for name in (index.hash, index.range)]
        return (*found, TTL)

    def record(self, key: Keys, data: Data, *, version: int, write_id: str, schema: int) -> Item:
        """Return the whole item of a record; ConstraintError when it is too large."""
        item: Item = {
            **self.fields(data),
            **self.extras(data),
            **key,
            **_marks(version, write_id),
            SCHEMA: {"N": str(schema)},
            FORM: {"S": self.form(data)},
        }
        check_size(self.declaration, item)
        return item

    def tombstone(self, key: Keys, *, version: int, write_id: str) -> Item:
        """Return what stays of a deleted record."""
        return {**key, **_marks(version, write_id), DELETED: {"BOOL": True}}

    def found(self, item: Mapping[str, Attribute]) -> Found:
        """Read an item."""
        try:
            return self._found(item)
        except (KeyError, ValueError, ArithmeticError, TypeError, AttributeError) as error:
            raise CorruptDataError(
                f"dynamodb: an item of {self.table} cannot be read as a record of ours: restore "
                "it, or delete it",
                store="dynamodb",
                operation="read",
                outcome="not applied",
            ) from error

    def is_alive(self, found: Found, now: datetime) -> bool:
        """Tell whether it is a record that has not expired."""
        unexpired = alive(self.declaration, now)
        return found.data is not None and (unexpired is None or satisfies(found.data, unexpired))

    def _found(self, item: Mapping[str, Attribute]) -> Found:
        key: Keys = {name: dict(item[name]) for name in self.layout.attributes}
        data: Data | None = None
        if DELETED not in item:
            shape = shape_of(self.declaration.entity, self.declaration.rename)
            data = {
                name: from_attribute(shape.kinds.get(name, ANY), value, shape.rename)
                for name, value in item.items()
                if name not in OURS and not name.startswith("_")
            }
        text = self.layout.text(data, key) if data is not None else ""
        schema = int(item[SCHEMA]["N"]) if data is not None else 0
        return Found(text, int(item[VERSION]["N"]), item[WRITE]["S"], schema, data, item)

    def ttl(self, since: object) -> Item:
        """Return when DynamoDB may remove a record, in whole seconds and never too early."""
        wish = self.declaration.retain
        if wish is None or not isinstance(since, datetime):
            return {}
        return {TTL: {"N": str(-((_EPOCH - since - wish.age) // _SECOND))}}

    def _ttl(self, data: Data) -> Item:
        wish = self.declaration.retain
        if wish is None:
            return {}
        holds = all(satisfies(data, it) for it in equalities(self.declaration, wish.where))
        return self.ttl(value_at(data, self.declaration.place(wish.since))) if holds else {}


def _marks(version: int, write_id: str) -> Item:
    return {VERSION: {"N": str(version)}, WRITE: {"S": write_id}}


def check_size(declaration: Declaration, item: Mapping[str, Attribute]) -> None:
    """Refuse an item that is too large."""
    size = size_of(item)
    if size > MAX_ITEM:
        raise ConstraintError(
            f"{declaration.name}: the record has {size} bytes and dynamodb takes {MAX_ITEM}: "
            "split it, or keep it in another store."
        )


def size_of(item: Mapping[str, Attribute]) -> int:
    """Return about how many bytes attributes take; never less than DynamoDB counts."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(attribute: Mapping[str, Any]) -> int:
    tag, value = next(iter(attribute.items()))
    if tag == "S":
        return len(value.encode())
    if tag == "B":
        return len(value)
    if tag == "N":
        return min(21, len(value) // 2 + 2)
    if tag == "M":
        return 3 + sum(1 + len(name.encode()) + _size(item) for name, item in value.items())
    return 3 + sum(1 + _size(item) for item in value) if tag == "L" else 1
