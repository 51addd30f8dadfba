"""Edits as expressions: what a document becomes, and whether every edit has its place and fits.

They mean what `model.evaluate.apply` does. Nothing here writes.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rightstore.adapters.mongodb.codec import encoder
from rightstore.adapters.mongodb.document import Layout
from rightstore.adapters.mongodb.expression import Expression, literal
from rightstore.model.edit import Add, Edit, Push, Set

_INFINITE = float("inf")


def edited(layout: Layout, edits: Sequence[Edit]) -> Expression:
    """Return the fields at the top as they are after the edits."""
    tree: dict[str, Any] = {}
    for edit in edits:
        *around, last = layout.path(edit.place)
        branch = tree
        for step in around:
            branch = branch.setdefault(step, {})
        branch[last] = _Leaf(_new(layout, edit))
    return {name: _node(f"${name}", below) for name, below in tree.items()}


class _Leaf:
    """The end of the way to a place, told from a step on it."""

    def __init__(self, value: Expression) -> None:
        self.value = value


def _node(path: str, below: "dict[str, Any] | _Leaf") -> Expression:
    if isinstance(below, _Leaf):
        return below.value
    inner = {name: _node(f"{path}.{name}", item) for name, item in below.items()}
    return {"$mergeObjects": [path, inner]}


def possible(layout: Layout, edits: Sequence[Edit]) -> Iterator[Expression]:
    """Yield what must hold, so that `model.evaluate.apply` would refuse none of them."""
    for edit in edits:
        path = layout.path(edit.place)
        for at in range(1, len(path)):
            yield {"$eq": [{"$type": "$" + ".".join(path[:at])}, "object"]}
        old = _old(layout, edit)
        if isinstance(edit, Push):
            yield {"$or": [{"$eq": [old, None]}, {"$isArray": [old]}]}
        elif isinstance(edit, Add):
            yield {"$or": [{"$eq": [old, None]}, {"$isNumber": old}]}
            yield {"$let": {"vars": {"new": _new(layout, edit)}, "in": _fits(layout, edit)}}


def _old(layout: Layout, edit: Edit) -> Expression:
    return {"$ifNull": ["$" + ".".join(layout.path(edit.place)), None]}


def _new(layout: Layout, edit: Edit) -> Expression:
    if isinstance(edit, Set):
        return literal(_stored(layout, edit, edit.value, edit.place.kind))
    if isinstance(edit, Add):
        return {"$add": [_number(layout, edit), literal(edit.amount)]}
    return _pushed(layout, edit)


def _pushed(layout: Layout, edit: Any) -> Expression:
    item = literal(_stored(layout, edit, edit.item, edit.place.kind.of))
    old: Expression = {"$ifNull": [_old(layout, edit), []]}
    longer = {"$concatArrays": [old, [item]]}
    return {"$slice": [longer, -edit.keep]} if edit.keep else longer


def _stored(layout: Layout, edit: Edit, value: Any, kind: Any) -> Any:
    encode = encoder(kind, layout.declaration.rename)
    return encode(value) if encode else value


def _number(layout: Layout, edit: Edit) -> Expression:
    """Return the number to grow; 0 where there is none, also where it is no number at all."""
    old = _old(layout, edit)
    return {"$cond": [{"$isNumber": old}, old, 0]}


def _fits(layout: Layout, edit: Add) -> Expression:
    """Say whether the new number is exact and within its type: the server rounds in silence."""
    if isinstance(edit.amount, int):
        return {"$in": [{"$type": "$$new"}, ["int", "long"]]}
    if isinstance(edit.amount, Decimal):
        old, amount = _number(layout, edit), literal(edit.amount)
        exact: list[Mapping[str, Any]] = [
            {"$eq": [{"$subtract": ["$$new", old]}, amount]},
            {"$eq": [{"$subtract": ["$$new", amount]}, old]},
        ]
        return {"$and": exact}
    return {"$and": [{"$lt": ["$$new", _INFINITE]}, {"$gt": ["$$new", -_INFINITE]}]}
