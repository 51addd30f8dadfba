"""The room of applications for the command line: PostgreSQL is opened as its owner. No logic."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from rightstore import wiring
from rightstore.clock import Clock
from rightstore.settings import Settings
from rightstore.stores.construction import Construction, construction
from rightstore.stores.definition import Rightstore
from rightstore.stores.ground import ground
from rightstore.stores.placement import FALLBACK


@asynccontextmanager
async def as_owner(
    definition: Rightstore,
    settings: Settings,
    clock: Clock,
    *,
    upgraded: Callable[[str, int], None] = lambda entity, done: None,
) -> AsyncIterator[Construction]:
    """Open the stores of an application to make its room there; `upgraded` hears of records."""
    service, owner = None, settings.postgres.owner_url
    if owner is not None:
        service = wiring.targets(settings)[FALLBACK]
        settings = replace(settings, postgres=settings.postgres.model_copy(update={"url": owner}))
    async with ground(definition.name, definition.declarations, settings, clock) as found:
        yield construction(found, definition.modules, clock, service=service, upgraded=upgraded)
