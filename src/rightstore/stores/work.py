"""The upkeep of several applications, as a process of its own does it: `rightstore work`."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from rightstore.clock import Clock
from rightstore.settings import Settings
from rightstore.stores.definition import Rightstore
from rightstore.stores.ground import ground
from rightstore.stores.upkeep import upkeep


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
            opening = ground(each.name, each.declarations, settings, clock)
            found = await stack.enter_async_context(opening)
            loops.append(upkeep(found, each.tables, clock))
        await asyncio.gather(*(loop.run(stopping) for loop in loops))
