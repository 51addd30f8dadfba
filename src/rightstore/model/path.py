"""FieldPath: a field of an entity, as used in conditions, orders, selections and edits."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from rightstore.errors import InvalidQueryError
from rightstore.model.comparison import Comparison
from rightstore.model.condition import Condition, Exists
from rightstore.model.edit import Add, Edit, Push, Set
from rightstore.model.kind import NUMERIC, Kind
from rightstore.model.measure import Measure
from rightstore.model.member import members_of, rename_of
from rightstore.model.order import Order
from rightstore.model.place import Place, into
from rightstore.model.plain import plain
from rightstore.model.scalar import RefusedError

# What other libraries call it.
_ELSEWHERE = {
    "append": "push(…)",
    "contains": "has(…)",
    "in_": "one_of([…])",
    "is_": "exists()",
    "is_not": "exists()",
    "like": "starts_with(…)",
    "startswith": "starts_with(…)",
}
T = TypeVar("T")
V = TypeVar("V")


class Change(Comparison[T], Generic[T]):
    """The part of FieldPath that edits."""

    __slots__ = ()

    def set(self, value: T) -> Edit:
        """The field gets this value."""
        return Set(self.place, _stored(self.place, self.place.kind, value))

    @overload
    def add(self: "Change[Decimal]", amount: Decimal | int) -> Edit: ...
    @overload
    def add(self: "Change[int]", amount: int) -> Edit: ...
    @overload
    def add(self: "Change[float]", amount: float) -> Edit: ...
    def add(self, amount: Any) -> Edit:
        """The number in the field grows by this amount (shrinks, when it is negative)."""
        kind = self.place.kind
        if kind.tag not in NUMERIC or kind.options:
            raise InvalidQueryError(f"{self.place} is {kind}: only numbers grow; set() it.")
        return Add(self.place, _stored(self.place, Kind(kind.tag), amount))

    def push(self: "Change[list[V]]", item: V, *, keep: int | None = None) -> Edit:
        """The list gets this item at its end; with `keep`, only its last so many stay."""
        place = self.place
        if place.kind.tag != "list":
            raise InvalidQueryError(f"{place} is {place.kind}, no list: set() it.")
        if keep is not None and keep < 1:
            raise InvalidQueryError(f"{place}.push(keep={keep}): keep at least 1, or set([]).")
        return Push(place, _stored(place, place.kind.of, item), keep)


class FieldPath(Change[T], Measure[T], Generic[T]):
    """A field of an entity; on a record the same name is its value."""

    __slots__ = ()

    if not TYPE_CHECKING:  # a checker knows by itself what is not there

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("__"):  # asked of a copy too, before it has its place
                raise AttributeError(name)
            raise AttributeError(f"{self.place} has no {name!r}{_instead(self.place, name)}.")

    def __getitem__(self, step: str) -> "FieldPath[Any]":
        """Into a free-form field: Product.attributes["network"]."""
        return FieldPath(into(self.place, step, None))

    def asc(self) -> Order:
        """From small to great; records without a value first."""
        return Order(_sortable(self.place))

    def desc(self) -> Order:
        """From great to small; records without a value last."""
        return Order(_sortable(self.place), descending=True)


class PartPath:
    """`Notification.channels`: a path whose attributes are the fields of the part."""

    __slots__ = ("_place",)

    def __init__(self, place: Place) -> None:
        self._place = place

    def __getattr__(self, name: str) -> "FieldPath[Any] | PartPath":
        place = self._place
        if name not in members_of(place.kind.python):
            raise AttributeError(f"{place} has no field {name!r}.")
        return path_to(into(place, name, rename_of(place.owner)))

    def exists(self) -> Condition:
        """The part is there."""
        return Exists(self._place)

    def set(self, value: object) -> Edit:
        """The part becomes this one, or goes."""
        return Set(self._place, _stored(self._place, self._place.kind, value))

    def __repr__(self) -> str:
        return f"<{self._place}: {self._place.kind}>"


def path_to(place: Place) -> "FieldPath[Any] | PartPath":
    """Return the expression that stands for a place on the class."""
    return PartPath(place) if place.kind.tag == "part" else FieldPath(place)


def _instead(place: Place, name: str) -> str:
    part = place.kind.of if place.kind.tag == "list" else None
    if part is not None and part.tag == "part" and name in members_of(part.python):
        return f", it is a list: ask {place}.any({part}.{name} == …)"
    known = _ELSEWHERE.get(name)
    return f": write {place}.{known}" if known else ""


def _sortable(place: Place) -> Place:
    if not place.kind.is_scalar:
        raise InvalidQueryError(f"{place}: {place.kind} has no order; take another field.")
    return place


def _stored(place: Place, kind: Kind, value: object) -> Any:
    try:
        return plain(kind, value, rename_of(place.owner))
    except RefusedError as refusal:
        raise InvalidQueryError(f"{place}{refusal.path}: {refusal.reason}.") from None
