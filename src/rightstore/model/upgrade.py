"""Upgrades: how a stored record of an older schema becomes one of the declared schema."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from rightstore.errors import UsageError
from rightstore.model.declaration import Declaration
from rightstore.model.entity import Entity

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


def upgrade(kind: type[Entity], *, to: int) -> Callable[[Upgrade], Upgrade]:
    """Declare how a stored record of schema `to - 1` becomes one of schema `to`.

    The function gets and gives the record as it is stored, with stored names; it must not touch
    the key. It runs on read, and by `rightstore schema apply`.
    """
    declaration = kind.__dict__.get("__declaration__")
    if not isinstance(declaration, Declaration):
        raise UsageError(f"{kind.__name__} is no entity: upgrade takes a declared one.")
    if type(to) is not int or not 2 <= to <= declaration.schema:
        raise UsageError(
            f"{kind.__name__}: an upgrade to {to} fits no schema; it goes from 2 to "
            f"schema={declaration.schema}: raise schema= or correct to=."
        )

    def keep(function: Upgrade) -> Upgrade:
        if iscoroutinefunction(function):
            raise UsageError(
                f"{kind.__name__}: the upgrade to {to} is async, and it runs on every read of an "
                "old record: write def."
            )
        known: dict[int, Upgrade] = kind.__dict__.get("__upgrades__", {})
        if to in known and known[to] is not function:
            raise UsageError(f"{kind.__name__} has two upgrades to {to}: keep one of them.")
        kind.__upgrades__ = {**known, to: function}  # type: ignore[attr-defined]  # read there
        return function

    return keep


def check_upgrades(declaration: Declaration) -> None:
    """Raise UsageError when a step from schema 1 to the declared one has no upgrade: at start."""
    for number in range(2, declaration.schema + 1):
        if number not in declaration.upgrades:
            raise UsageError(
                f"{declaration.name} has schema={declaration.schema} but no upgrade to {number}: "
                f"declare @upgrade({declaration.entity.__name__}, to={number})."
            )


def upgraded(declaration: Declaration, stored: dict[str, Any], schema: int) -> dict[str, Any]:
    """Return a stored record brought to the declared schema, one number after the other."""
    for number in range(schema + 1, declaration.schema + 1):
        step = declaration.upgrades.get(number)
        if step is None:
            check_upgrades(declaration)
            break
        given: object = step(stored)
        if not isinstance(given, dict):
            raise UsageError(f"{declaration.name}: the upgrade to {number} gave no dict.")
        stored = given
    return stored
