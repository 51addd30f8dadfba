"""Walks over a Condition: which places it asks about, and the same with other stored names."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rightstore.model.condition import And, AnyOf, Condition, Not, Or
from rightstore.model.place import Place
from rightstore.model.place import renamed as renamed_place


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """Return the conditions that this one is made of; of an `any`, none."""
    if isinstance(condition, And | Or):
        return condition.items
    return (condition.item,) if isinstance(condition, Not) else ()


def places(condition: Condition) -> Iterator[Place]:
    """Yield each place that is asked about; of an `any` its list, not what is in its parts."""
    below = parts_of(condition)
    if not below:
        leaf: Any = condition
        yield from (leaf.place,) if hasattr(leaf, "place") else ()
    for item in below:
        yield from places(item)


def leaves(condition: Condition) -> Iterator[Condition]:
    """Yield each condition that is not And, Or or Not; of an `any` its inner ones as well."""
    below = parts_of(condition)
    if isinstance(condition, AnyOf):
        yield from leaves(condition.where)
    if not below and not isinstance(condition, And | Or):
        yield condition
    for item in below:
        yield from leaves(item)


def depth(condition: Condition) -> int:
    """Return how deep a condition is nested."""
    below = parts_of(condition) + ((condition.where,) if isinstance(condition, AnyOf) else ())
    return 1 + max(map(depth, below), default=0)


def renamed(condition: Condition, rename: str | None) -> Condition:
    """Return a condition about a part with the stored names that the entity around it gives."""
    if isinstance(condition, And | Or):
        return type(condition)(tuple(renamed(item, rename) for item in condition.items))
    if isinstance(condition, Not):
        return Not(renamed(condition.item, rename))
    leaf: Any = condition
    changed: Any = replace(leaf, place=renamed_place(leaf.place, rename))
    if isinstance(changed, AnyOf):
        return replace(changed, where=renamed(changed.where, rename))
    found: Condition = changed
    return found
