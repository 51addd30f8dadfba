"""Questions about one field: each gives a Condition whose values are checked and in stored form."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar, overload

from rightstore.errors import InvalidQueryError
from rightstore.model.condition import (
    AnyOf,
    Compare,
    Condition,
    Exists,
    Expr,
    Has,
    Matches,
    OneOf,
    Operator,
    Or,
    StartsWith,
    holds,
)
from rightstore.model.kind import ORDERED, Kind
from rightstore.model.member import rename_of
from rightstore.model.nested import Nested
from rightstore.model.place import Place
from rightstore.model.plain import plain
from rightstore.model.scalar import RefusedError
from rightstore.model.tree import places, renamed

T = TypeVar("T")
V = TypeVar("V")
S = TypeVar("S", bound=Nested)
MAX_OPTIONS = 10_000
_WORD = re.compile(r"\w+")


class Comparison(Expr[T], Generic[T]):
    """The part of FieldPath that asks."""

    __slots__ = ("place",)
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # == asks the store

    def __init__(self, place: Place) -> None:
        self.place: Place = place

    def __eq__(self, other: T | None) -> Condition:  # type: ignore[override]  # it asks the store
        return self._compare("==", other)

    def __ne__(self, other: T | None) -> Condition:  # type: ignore[override]  # it asks the store
        return self._compare("!=", other)

    # A field of money also takes an int, because that is exact.
    @overload
    def __lt__(
        self: "Comparison[Decimal] | Comparison[Decimal | None]", other: Decimal | int
    ) -> Condition: ...
    @overload
    def __lt__(self, other: T) -> Condition: ...
    def __lt__(self, other: Any) -> Condition:
        return self._compare("<", other)

    @overload
    def __le__(
        self: "Comparison[Decimal] | Comparison[Decimal | None]", other: Decimal | int
    ) -> Condition: ...
    @overload
    def __le__(self, other: T) -> Condition: ...
    def __le__(self, other: Any) -> Condition:
        return self._compare("<=", other)

    @overload
    def __gt__(
        self: "Comparison[Decimal] | Comparison[Decimal | None]", other: Decimal | int
    ) -> Condition: ...
    @overload
    def __gt__(self, other: T) -> Condition: ...
    def __gt__(self, other: Any) -> Condition:
        return self._compare(">", other)

    @overload
    def __ge__(
        self: "Comparison[Decimal] | Comparison[Decimal | None]", other: Decimal | int
    ) -> Condition: ...
    @overload
    def __ge__(self, other: T) -> Condition: ...
    def __ge__(self, other: Any) -> Condition:
        return self._compare(">=", other)

    def __and__(self: "Comparison[bool]", other: Condition | Expr[bool]) -> Condition:
        return self.holds() & other

    def __or__(self: "Comparison[bool]", other: Condition | Expr[bool]) -> Condition:
        return self.holds() | other

    if not TYPE_CHECKING:  # a checker knows by itself that it is wrong

        def __rand__(self, other: object) -> NoReturn:
            raise TypeError(
                f"& and | bind more tightly than comparisons: write (… > 1) & ({self.place} < 3)."
            )

        __ror__ = __rand__

    def __invert__(self: "Comparison[bool]") -> Condition:
        return ~self.holds()

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self.place} is a field, not a truth value: use & | ~ and .has(), not and/or/not/in."
        )

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"{self.place}: write .has(item), the store cannot see `in`.")

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self.place} is a field, not a list: read it from a record.")

    def __str__(self) -> str:
        return str(self.place)

    def __repr__(self) -> str:
        return f"<{self.place}: {self.place.kind}>"

    def holds(self: "Expr[bool]") -> Condition:
        """Return a flag as the condition that it is set."""
        place: Place = self.place  # type: ignore[attr-defined]  # self is a Comparison here
        if place.kind.tag != "bool":
            raise InvalidQueryError(f"{place} is {place.kind}, no flag: compare it with a value.")
        return Compare(place, "==", True)

    def one_of(self, values: Iterable[T]) -> Condition:
        """The value is one of these."""
        _demand(self.place, not isinstance(values, str), "one_of takes a list: write one_of([…])")
        given = list(values)
        if len(given) > MAX_OPTIONS:
            raise InvalidQueryError(f"{self.place}.one_of takes up to {MAX_OPTIONS} values: split.")
        wanted = tuple(self._value(value) for value in given if value is not None)
        one = OneOf(self.place, wanted)
        if len(wanted) == len(given):
            return one
        return Or((Compare(self.place, "==", None), one)) if wanted else self._compare("==", None)

    def exists(self) -> Condition:
        """There is a value, and it is not None."""
        return Exists(self.place)

    def starts_with(self: "Comparison[str] | Comparison[str | None]", prefix: str) -> Condition:
        """The text starts with this one."""
        place = self.place
        _demand(place, place.kind.tag in {"str", "any"}, "starts_with is for text")
        return StartsWith(place, _stored(place, Kind("str"), prefix))

    def matches(self: "Comparison[str] | Comparison[str | None]", words: str) -> Condition:
        """The text contains all these words, where an Index(text=True) was declared."""
        place = self.place
        _demand(place, place.kind.tag == "str", "matches is for text")
        found = _WORD.findall(_stored(place, Kind("str"), words).lower())
        return Matches(place, tuple(sorted(set(found))))

    @overload
    def has(self: "Comparison[list[V]]", item: V) -> Condition: ...
    @overload
    def has(self: "Comparison[tuple[V, ...]]", item: V) -> Condition: ...
    @overload
    def has(self: "Comparison[Any]", item: object) -> Condition: ...
    def has(self, item: Any) -> Condition:
        """The list in this field contains the item."""
        place = self.place
        _demand(place, place.kind.tag in {"list", "any"}, "has is for lists")
        kind = place.kind.of
        _demand(place, kind.is_scalar or kind.tag == "any", "has is for single values; use any()")
        return Has(place, None if item is None else _stored(place, kind, item))

    def any(self: "Comparison[list[S]]", where: Condition | Expr[bool]) -> Condition:
        """Some part in this list meets the condition (all of it, on the same part)."""
        place = self.place
        part = place.kind.of
        _demand(place, place.kind.tag == "list" and part.tag == "part", "any is for lists of parts")
        inner = holds(where)
        for asked in places(inner):
            if asked.owner is not part.python:
                raise InvalidQueryError(f"{place}.any asks about {part}, not about {asked}.")
        return AnyOf(place, renamed(inner, rename_of(place.owner)))

    def _compare(self, operator: Operator, other: object) -> Condition:
        kind = self.place.kind
        if other is None:
            _demand(self.place, operator in {"==", "!="}, "None has no order; use exists()")
            return Compare(self.place, operator, None)
        if operator not in {"==", "!="}:
            has_order = kind.tag in ORDERED or (kind.tag == "any" and type(other) is not bool)
            _demand(self.place, has_order, f"{kind} has no order; compare with == or another type")
        return Compare(self.place, operator, self._value(other))

    def _value(self, other: object) -> Any:
        kind = self.place.kind
        _demand(
            self.place,
            kind.is_scalar or kind.tag == "any",
            f"{kind} is no single value; ask for what is inside, has(), any() or exists()",
        )
        return _stored(self.place, kind, other)


def _demand(place: Place, holds_true: bool, complaint: str) -> None:
    if not holds_true:
        raise InvalidQueryError(f"{place}: {complaint}.")


def _stored(place: Place, kind: Kind, value: object) -> Any:
    """Return a value to compare with as it would be stored, so that what was put is found."""
    if kind.tag == "any" and not isinstance(value, str | int | float):
        raise InvalidQueryError(
            f"{place} is free-form: compare it with a str, int, float or bool, or declare a field."
        )
    try:
        return plain(kind, value, None)
    except RefusedError as refusal:
        raise InvalidQueryError(f"{place}: a value to compare with: {refusal.reason}.") from None
