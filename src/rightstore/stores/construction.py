"""The room of one application in all its stores: planned, checked and made, by one process.

It opens no store; what a step does is the adapters' business.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from types import ModuleType

from rightstore import wiring
from rightstore.clock import Clock
from rightstore.model.declaration import STORES, StoreName
from rightstore.patterns.schema.apply import Applied, Permission, Progress, apply
from rightstore.patterns.schema.plan import Bound, Plan, plan
from rightstore.patterns.schema.upgrade import Upgrading
from rightstore.ports.connection import Target
from rightstore.ports.exclusion import Exclusion
from rightstore.ports.schema import Structure
from rightstore.repository.mark import marks_for
from rightstore.stores.engine import Engine
from rightstore.stores.ground import Ground
from rightstore.stores.placement import FALLBACK
from rightstore.stores.table import models, tracked

# Another process may be building an index.
PATIENCE = 600.0
Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Construction:
    """What makes the room of an application. Without `exclusion` there is no other process."""

    application: str
    structures: Sequence[Structure]
    exclusion: Exclusion | None

    async def plan(self) -> Plan:
        """Return what is to be done; nothing in it: everything is there."""
        return await plan(self.structures)

    async def apply(
        self,
        permission: Permission,
        *,
        report: Callable[[Progress], None],
        waiting: Said,
        within: float = PATIENCE,
    ) -> Applied:
        """Plan and do it while no other process does."""
        right = (
            self.exclusion.hold(f"schema of {self.application}", within=within, waiting=waiting)
            if self.exclusion
            else nullcontext()
        )
        async with right:
            return await apply(self.structures, permission, report=report)


def construction(
    found: Ground,
    modules: Sequence[ModuleType],
    clock: Clock,
    *,
    service: Target | None = None,
    upgraded: Callable[[str, int], None] | None = None,
) -> Construction:
    """Return what makes the room on this ground.

    With `service`, how the service connects, its user is given the rights that it needs. With
    `upgraded`, which hears of progress, records of older schemas are looked for and upgraded.
    """
    control = found.engines[FALLBACK]
    if control.connection is None:
        return Construction(found.application, (), None)
    at = (control.connection, found.application, clock)
    structures: list[Structure] = []
    if service is not None:
        structures.append(wiring.part(FALLBACK, "grants")(*at, service=service))
    structures.append(wiring.part(FALLBACK, "placement")(*at))
    structures += [
        _bound(found, store, found.engines[store]) for store in STORES if store in found.engines
    ]
    structures += _tables(found, modules, clock)
    if upgraded is not None:
        structures += _upgrades(found, clock, upgraded)
    return Construction(found.application, structures, wiring.part(FALLBACK, "exclusion")(*at))


def _bound(found: Ground, store: StoreName, engine: Engine) -> Bound:
    """Return what makes room for the entities that live in a store, and for the marks there."""
    living = found.living_in(store)
    placed = [replace(each, home=store) for each in living]
    marks = [mark for mark in marks_for(placed) if mark.home == store]
    schema = wiring.part(store, "schema")(engine.connection, found.application)
    return Bound(schema, [*living, *marks])


def _tables(found: Ground, modules: Sequence[ModuleType], clock: Clock) -> Iterator[Structure]:
    """Yield what makes the tables that the modules declare, and the triggers of tracked ones."""
    at = (found.engines[FALLBACK].connection, found.application, clock)
    declared, kept = models(modules), tracked(found.application, modules)
    if declared:
        entities = frozenset(each.name for each in found.declarations)
        yield wiring.part(FALLBACK, "tables")(*at, models=declared, entities=entities)
    if kept:
        yield wiring.part(FALLBACK, "triggers")(*at, tables=kept)


def _upgrades(
    found: Ground, clock: Clock, upgraded: Callable[[str, int], None]
) -> Iterator[Structure]:
    """Yield what brings records of older schemas to the declared one."""
    for declaration in found.declarations:
        if declaration.schema > 1:
            store = found.placed[declaration.name].store
            engine = found.engines[store]
            older = wiring.part(store, "older")(engine.connection, found.application, clock)
            # A store of its own: an upgrade may write what the application's own store refuses.
            yield Upgrading(store, declaration, engine.again(), older, clock, upgraded)
