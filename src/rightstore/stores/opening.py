"""Open an application: judge it, connect, make or check the room, hand out its stores."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rightstore import wiring
from rightstore.clock import Clock, current
from rightstore.errors import NotConfiguredError
from rightstore.model.declaration import Declaration
from rightstore.patterns.schema.apply import Permission, Progress
from rightstore.patterns.schema.plan import Plan
from rightstore.settings import Settings
from rightstore.stores.construction import construction
from rightstore.stores.ground import Ground, ground
from rightstore.stores.placement import FALLBACK
from rightstore.stores.stores import Stores
from rightstore.stores.upkeep import kept
from rightstore.stores.wish import refuse_unbuilt
from rightstore.telemetry.log import inform

if TYPE_CHECKING:
    from rightstore.table.track import TrackedTable


@asynccontextmanager
async def opened(
    application: str,
    declarations: Sequence[Declaration],
    settings: Settings | None,
    *,
    modules: Sequence[ModuleType],
    tables: "Sequence[TrackedTable[Any]]",
    work: bool,
) -> AsyncIterator[Stores]:
    """Open the stores of an application for the block."""
    refuse_unbuilt(declarations, tables)
    chosen, clock = Settings.load() if settings is None else settings, current.get()
    async with ground(application, declarations, chosen, clock) as found:
        await _make_room(found, modules, chosen, clock)
        settled = await found.settled()
        async with kept(settled, tables, clock) if work else nullcontext():
            yield Stores(settled, tables)


async def _make_room(
    found: Ground, modules: Sequence[ModuleType], settings: Settings, clock: Clock
) -> None:
    """Make what the stores lack where that is allowed; else refuse, with the command that does."""
    made = construction(found, modules, clock)
    plan = await made.plan()
    if not _may_apply(settings):
        _refuse_without(found.application, plan.lacking())
        return
    if not any(not step.destructive for step in plan.steps):
        return
    # What loses data is left to a person; the application works without.
    permission = Permission(expand_only=bool(plan.destructive))
    if permission.expand_only:
        _refuse_without(found.application, plan.lacking(expanded=True))
    applied = await made.apply(permission, report=_report, waiting=_waiting)
    if applied.error is not None:
        raise applied.error


def _refuse_without(application: str, lacking: Plan) -> None:
    """Refuse where something is to be added; what goes later is in the way of no version."""
    named = "; ".join(f"{it.store} {it.subject} ({it.action})" for it in lacking.steps)
    if named:
        raise NotConfiguredError(
            f"{application} cannot open: its stores lack {named}: run `rightstore schema apply "
            f"{application}`, or name it as module:object there."
        )


def _may_apply(settings: Settings) -> bool:
    """Tell whether opening may change the structure: by itself only on the embedded server."""
    if settings.postgres.owner_url is not None:
        return False
    mode = settings.schema.mode
    return mode == "apply" or (mode is None and wiring.is_embedded(settings, FALLBACK))


def _report(progress: Progress) -> None:
    if progress.state != "begins":
        step = progress.step
        told = {"store": step.store, "subject": step.subject, "step": step.action}
        inform("room in the stores", state=progress.state, **told)


def _waiting(holder: str) -> None:
    inform("waiting to make room in the stores", holder=holder)
