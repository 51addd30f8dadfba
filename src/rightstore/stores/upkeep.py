"""What keeps the stores of an application in order: until now the removal of what has expired."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog

from rightstore import wiring
from rightstore.clock import Clock
from rightstore.errors import StoreError
from rightstore.patterns.retention.run import Retention, Sweep
from rightstore.ports.retention import Expiry
from rightstore.repository.mark import marks_for
from rightstore.stores.ground import Ground
from rightstore.stores.placement import FALLBACK
from rightstore.telemetry.log import inform, mask

if TYPE_CHECKING:
    from rightstore.table.track import TrackedTable

    Tables: TypeAlias = Sequence[TrackedTable[Any]]

logger = structlog.get_logger(__name__)


@asynccontextmanager
async def kept(found: Ground, tables: "Tables", clock: Clock) -> AsyncIterator[None]:
    """Do the upkeep while the block lasts; at its end the batch that has begun is finished."""
    stopping = asyncio.Event()
    task = asyncio.create_task(upkeep(found, tables, clock).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


def upkeep(found: Ground, tables: "Tables", clock: Clock) -> Retention:
    """Return what removes expired records and rows; any number of processes may do it at once."""
    sweeps = list(_sweeps(found, tables, clock))
    application = found.application
    names = [sweep.name for sweep in sweeps]
    inform("removing what expires", application=application, entities=names)

    def removed(entity: str, count: int) -> None:
        inform("expired records removed", application=application, entity=entity, count=count)

    def failed(entity: str, error: StoreError) -> None:
        told = {"application": application, "entity": entity, "error": mask(str(error))}
        logger.warning("expired records not removed", **told)

    return Retention(sweeps, clock=clock, removed=removed, failed=failed)


def _sweeps(found: Ground, tables: "Tables", clock: Clock) -> Iterator[Sweep]:
    """Yield what expires in PostgreSQL; the other stores remove it by themselves."""
    connection = found.engines[FALLBACK].connection
    if connection is None:
        return
    records: Expiry = wiring.part(FALLBACK, "store")(connection, found.application, clock)
    marks = [mark for mark in marks_for(()) if mark.home == FALLBACK]
    for declaration in (*found.living_in(FALLBACK), *marks):
        if declaration.retain is not None:
            yield Sweep(declaration.name, partial(records.remove_expired, declaration))
    rows = wiring.part(FALLBACK, "rows")(connection, found.application)
    for tracked in tables:
        if tracked.retain is not None:
            yield Sweep(tracked.name, partial(rows.remove_expired, tracked))
