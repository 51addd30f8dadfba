"""Conditions as values that stores translate, and what can be selected; `evaluate` says what for.

A condition holds or does not hold; there is no third answer. A missing value is None: it is equal
to None, unequal to everything else, and neither smaller nor greater than anything; `~` is exactly
the opposite. Values in it are in stored form and never shown.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar

from rightstore.errors import InvalidQueryError
from rightstore.model.place import Place

T = TypeVar("T")
Operator = Literal["==", "!=", "<", "<=", ">", ">="]


class Condition:
    """What must hold of a record. Combine with & | ~ (never with and/or/not)."""

    __slots__ = ()

    def __and__(self, other: "Condition | Expr[bool]") -> "Condition":
        return And(_merged(And, self, holds(other)))

    def __or__(self, other: "Condition | Expr[bool]") -> "Condition":
        return Or(_merged(Or, self, holds(other)))

    if not TYPE_CHECKING:  # a checker knows by itself that it is wrong

        def __rand__(self, other: object) -> NoReturn:
            raise TypeError(
                f"& and | bind more tightly than comparisons: write (… > 1) & ({self})."
            )

        __ror__ = __rand__

    def __invert__(self) -> "Condition":
        return self.item if isinstance(self, Not) else Not(self)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self} is a condition, not a truth value: use & | ~, not and/or/not.")

    def __repr__(self) -> str:
        return str(self)


class Expr(Generic[T]):
    """What can be selected: a field, a bucket of time, an aggregate."""

    __slots__ = ()

    def holds(self: "Expr[bool]") -> Condition:
        """Return a flag as the condition that it is set."""
        raise InvalidQueryError(f"{self} is no condition: compare it with a value.")


@dataclass(frozen=True, slots=True, repr=False)
class Compare(Condition):
    """The value at a place compared with a scalar; only == and != compare with None."""

    place: Place
    operator: Operator
    value: Any

    def __str__(self) -> str:
        return f"{self.place} {self.operator} {'None' if self.value is None else '?'}"


@dataclass(frozen=True, slots=True, repr=False)
class And(Condition):
    """All of these hold."""

    items: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"({' & '.join(map(str, self.items))})"


@dataclass(frozen=True, slots=True, repr=False)
class Or(Condition):
    """At least one of these holds."""

    items: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"({' | '.join(map(str, self.items))})"


@dataclass(frozen=True, slots=True, repr=False)
class Not(Condition):
    """This does not hold."""

    item: Condition

    def __str__(self) -> str:
        return f"~({self.item})"


@dataclass(frozen=True, slots=True, repr=False)
class Exists(Condition):
    """There is a value that is not None."""

    place: Place

    def __str__(self) -> str:
        return f"{self.place}.exists()"


@dataclass(frozen=True, slots=True, repr=False)
class OneOf(Condition):
    """The value is equal to one of these, none of which is None; of none at all it is never."""

    place: Place
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.place}.one_of(?)"


@dataclass(frozen=True, slots=True, repr=False)
class StartsWith(Condition):
    """The value is a text that starts with this one, case and all."""

    place: Place
    prefix: str

    def __str__(self) -> str:
        return f"{self.place}.starts_with(?)"


@dataclass(frozen=True, slots=True, repr=False)
class Matches(Condition):
    """The text contains all these words (lower-case, in any order); no words match nothing."""

    place: Place
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}.matches(?)"


@dataclass(frozen=True, slots=True, repr=False)
class Has(Condition):
    """The value is a list, and an item of it is equal to this scalar."""

    place: Place
    item: Any

    def __str__(self) -> str:
        return f"{self.place}.has(?)"


@dataclass(frozen=True, slots=True, repr=False)
class AnyOf(Condition):
    """The value is a list of parts, and one of them meets the whole condition by itself."""

    place: Place
    where: Condition = field()

    def __str__(self) -> str:
        return f"{self.place}.any({self.where})"


def holds(where: object) -> Condition:
    """Return a condition or a flag as a condition; anything else is refused."""
    if isinstance(where, Condition):
        return where
    if isinstance(where, Expr):
        return where.holds()
    raise InvalidQueryError(
        f"{type(where).__name__} is no condition: compare a field with a value of its own type."
    )


def _merged(kind: type[And] | type[Or], left: Condition, right: Condition) -> tuple[Condition, ...]:
    """Keep long chains flat: a & b & c is one And."""
    lefts = left.items if isinstance(left, kind) else (left,)
    rights = right.items if isinstance(right, kind) else (right,)
    return lefts + rights
