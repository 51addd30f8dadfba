"""Opaque cursors: where a page ended, by the values of its order; no offset, no secret.

The text also carries what query it belongs to: entity, order and the form of the condition. Not
the condition's values: `timestamp > now() - 30 days` is another moment at every page.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from rightstore import codec
from rightstore.errors import CorruptDataError, InvalidQueryError
from rightstore.model.condition import Condition
from rightstore.model.declaration import Declaration
from rightstore.model.kind import Kind
from rightstore.model.order import Order
from rightstore.model.scalar import RefusedError, scalar

MAX_LENGTH = 16_384
_MARK = 8


def encode_cursor(
    declaration: Declaration,
    where: Condition | None,
    orders: Sequence[Order],
    position: Sequence[Any],
) -> str:
    """Return the cursor of a position (the values of the order, in stored form) in a query."""
    data = _mark(declaration, where, orders) + codec.encode(list(position))
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode_cursor(
    declaration: Declaration, where: Condition | None, orders: Sequence[Order], cursor: str
) -> tuple[Any, ...]:
    """Return the position that a cursor stands for; InvalidQueryError for every other text."""
    data = _bytes(cursor)
    if data[:_MARK] == _mark(declaration, where, orders):
        try:
            values = codec.decode(data[_MARK:])
            if isinstance(values, list) and len(values) == len(orders):
                return tuple(
                    _value(order.place.kind, value)
                    for order, value in zip(orders, values, strict=True)
                )
        except (CorruptDataError, RefusedError):
            pass
    raise InvalidQueryError(
        f"This cursor does not belong to this query of {declaration.name}: begin without one."
    )


def _bytes(cursor: str) -> bytes:
    if len(cursor) > MAX_LENGTH or not cursor.isascii():
        return b""
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (Error, ValueError):
        return b""


def _value(kind: Kind, value: Any) -> Any:
    """Take only what the field could hold: the text comes from outside."""
    if value is None:
        return None
    return scalar(Kind(kind.tag), value)


def _mark(declaration: Declaration, where: Condition | None, orders: Sequence[Order]) -> bytes:
    order = [f"{order.place}{'-' if order.descending else '+'}" for order in orders]
    form = "\n".join([declaration.name, str(where), *order])
    return blake2b(form.encode(), digest_size=_MARK).digest()
