"""Checks of what a caller asks, once, before any store sees it: conditions, orders, columns, edits.

Each function takes the entity and gives values that are fit for an adapter, or raises
InvalidQueryError with the field and the remedy.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rightstore.errors import InvalidQueryError, UsageError
from rightstore.model.comparison import Comparison
from rightstore.model.condition import And, AnyOf, Condition, Expr, Matches, holds
from rightstore.model.declaration import Declaration
from rightstore.model.edit import Edit
from rightstore.model.group import is_grouped
from rightstore.model.measure import Aggregate, Bucket
from rightstore.model.order import Order
from rightstore.model.path import FieldPath
from rightstore.model.place import Place
from rightstore.model.tree import depth, leaves, places

MAX_DEPTH = 50
MAX_CONDITIONS = 1_000
MAX_COLUMNS = 8
MAX_LEVELS = 8


def condition(declaration: Declaration, where: Sequence[object]) -> Condition | None:
    """Return what a caller asks for as one condition; None when anything will do."""
    if not where:
        return None
    items = [holds(item) for item in where]
    whole = items[0] if len(items) == 1 else And(tuple(items))
    found = list(leaves(whole))
    if depth(whole) > MAX_DEPTH or len(found) > MAX_CONDITIONS:
        raise InvalidQueryError(
            f"{declaration.name}: a condition is up to {MAX_DEPTH} deep and has up to "
            f"{MAX_CONDITIONS} comparisons: use one_of, or ask twice."
        )
    for place in places(whole):
        own(declaration, place)
    for leaf in found:
        _check_text(declaration, leaf)
    return whole


def equalities(declaration: Declaration, where: Mapping[str, object] | None) -> list[Condition]:
    """Return the `where` of an Index or Retain as comparisons, with values in stored form."""
    return [
        FieldPath[Any](declaration.place(path)) == value for path, value in (where or {}).items()
    ]


def alive(declaration: Declaration, now: datetime) -> Condition | None:
    """Return the condition that a record has not expired; None when none of them ever does.

    It belongs to every read: a store removes what has expired only some time later.
    """
    retain = declaration.retain
    if retain is None:
        return None
    since = FieldPath[Any](declaration.place(retain.since))
    expired = [since <= now - retain.age, *equalities(declaration, retain.where)]
    return ~(And(tuple(expired)) if len(expired) > 1 else expired[0])


def own(declaration: Declaration, place: Place) -> None:
    """Refuse a place of another entity."""
    if place.owner is not declaration.entity:
        raise InvalidQueryError(
            f"{place} is not a field of {declaration.name}: ask with {declaration.entity.__name__}."
        )


def _check_text(declaration: Declaration, leaf: Condition) -> None:
    if isinstance(leaf, AnyOf) and any(isinstance(inner, Matches) for inner in leaves(leaf.where)):
        raise InvalidQueryError(f"{leaf.place}.any: matches looks at fields of the entity only.")
    if isinstance(leaf, Matches) and leaf.place.owner is declaration.entity:
        path = ".".join(leaf.place.steps)
        if not any(index.text and path in index.fields for index in declaration.indexes):
            raise InvalidQueryError(
                f"{leaf.place}.matches needs a text index: declare Index({path!r}, text=True)."
            )


def orders(declaration: Declaration, given: Sequence[object]) -> tuple[Order, ...]:
    """Return a total order: what was asked for, then the key, which makes it total."""
    asked: list[Order] = []
    for order in given:
        if not isinstance(order, Order):
            field = f"{declaration.entity.__name__}.field"
            place, got = (
                (str(order.place), "the field alone")
                if isinstance(order, FieldPath)
                else (field, type(order).__name__)
            )
            raise InvalidQueryError(
                f"{declaration.name}: sort takes {place}.asc() or .desc(), not {got}."
            )
        own(declaration, order.place)
        if order.place in [earlier.place for earlier in asked]:
            raise InvalidQueryError(f"{order.place} is sorted by twice: name it once.")
        asked.append(order)
    if len(asked) > MAX_LEVELS:
        raise InvalidQueryError(f"{declaration.name}: sort by up to {MAX_LEVELS} fields.")
    sorted_by = {order.place.steps for order in asked}
    keys = [declaration.place(name) for name in declaration.key if (name,) not in sorted_by]
    last_goes_down = bool(asked) and asked[-1].descending
    return (*asked, *(Order(place, last_goes_down) for place in keys))


def columns(declaration: Declaration, given: Sequence[object]) -> tuple[Expr[Any], ...]:
    """Return the columns of a selection; as a group key only what has equality."""
    checked: list[Expr[Any]] = []
    for column in given:
        if not isinstance(column, Comparison | Bucket | Aggregate):
            raise InvalidQueryError(
                f"{declaration.name}: select takes fields, buckets, aggregates and count(), "
                f"not {type(column).__name__}; of a part name its fields."
            )
        if column.place is not None:
            own(declaration, column.place)
        checked.append(column)
    if not 1 <= len(checked) <= MAX_COLUMNS:
        raise InvalidQueryError(f"{declaration.name}: select takes 1 to {MAX_COLUMNS} columns.")
    if is_grouped(checked):
        _check_groups(checked)
    return tuple(checked)


def _check_groups(checked: Sequence[Expr[Any]]) -> None:
    for column in checked:
        if isinstance(column, Comparison) and not column.place.kind.is_scalar:
            raise InvalidQueryError(
                f"{column} is {column.place.kind}: a group key is a single value; "
                "select what is inside, or leave it out."
            )


def edits(declaration: Declaration, given: Sequence[object]) -> tuple[Edit, ...]:
    """Return the edits of one statement: at least one, none of the key, no two of one place."""
    if declaration.append_only:
        raise UsageError(f"{declaration.name} is append_only: put a new record instead.")
    checked: list[Edit] = []
    for edit in given:
        if not isinstance(edit, Edit):
            raise InvalidQueryError(
                f"{declaration.name}: change takes edits such as "
                f"{declaration.entity.__name__}.field.set(…), not {type(edit).__name__}."
            )
        own(declaration, edit.place)
        if edit.place.steps[0] in declaration.key:
            raise InvalidQueryError(f"{edit.place} is the key: put a new record, delete this one.")
        for earlier in checked:
            if _overlap(earlier.place, edit.place):
                raise InvalidQueryError(f"{edit.place} is edited twice: make it one edit.")
        checked.append(edit)
    if not checked:
        raise InvalidQueryError(f"{declaration.name}: change without an edit: name at least one.")
    return tuple(checked)


def _overlap(one: Place, other: Place) -> bool:
    shorter = min(len(one.steps), len(other.steps))
    return one.steps[:shorter] == other.steps[:shorter]
