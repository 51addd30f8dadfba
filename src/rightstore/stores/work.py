"""What runs beside an application: until now the removal of what has expired. No logic."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from types import ModuleType

import structlog

from rightstore import wiring
from rightstore.clock import Clock
from rightstore.errors import StoreError
from rightstore.patterns.retention.run import Retention, Sweep
from rightstore.ports.retention import Expiry
from rightstore.repository.mark import marks_for
from rightstore.settings import Settings
from rightstore.stores.definition import Rightstore
from rightstore.stores.ground import Ground, ground
from rightstore.stores.placement import FALLBACK
from rightstore.telemetry.log import mask

logger = structlog.get_logger(__name__)


async def work(
    definitions: Sequence[Rightstore],
    settings: Settings,
    clock: Clock,
    stopping: asyncio.Event,
) -> None:
    """Do the upkeep of these applications until told to stop.

    StoreError when a store cannot be reached at the start; later it is logged and tried again.
    """
    async with AsyncExitStack() as stack:
        loops = []
        for each in definitions:
            found = await stack.enter_async_context(
                ground(each.name, each.declarations, settings, clock)
            )
            sweeps = list(_sweeps(found, each.modules, clock))
            loops.append(_retention(each.name, sweeps, clock).run(stopping))
            names = [sweep.name for sweep in sweeps]
            logger.info("removing what expires", application=each.name, entities=names)
        await asyncio.gather(*loops)


def _sweeps(found: Ground, modules: Sequence[ModuleType], clock: Clock) -> Iterator[Sweep]:
    """Yield what expires in PostgreSQL; the other stores remove it by themselves."""
    connection = found.engines[FALLBACK].connection
    if connection is None:
        return
    records: Expiry = wiring.part(FALLBACK, "store")(connection, found.application, clock)
    marks = [mark for mark in marks_for(()) if mark.home == FALLBACK]
    for declaration in (*found.living_in(FALLBACK), *marks):
        if declaration.retain is not None:
            yield Sweep(declaration.name, partial(records.remove_expired, declaration))
    if "sqlalchemy" not in sys.modules:
        return
    from rightstore.table.model import tracked_in  # noqa: PLC0415 - SQLAlchemy takes 0.2 s

    rows = wiring.part(FALLBACK, "rows")(connection, found.application)
    for tracked in tracked_in(modules):
        if tracked.retain is not None:
            yield Sweep(tracked.name, partial(rows.remove_expired, tracked))


def _retention(application: str, sweeps: Sequence[Sweep], clock: Clock) -> Retention:
    said = logger.bind(application=application)

    def removed(entity: str, count: int) -> None:
        said.info("expired records removed", entity=entity, count=count)

    def failed(entity: str, error: StoreError) -> None:
        said.warning("expired records not removed", entity=entity, error=mask(str(error)))

    return Retention(sweeps, clock=clock, removed=removed, failed=failed)
