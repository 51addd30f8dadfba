"""What an application stands on: its stores open, each entity in one of them, all of it judged.

It neither makes room in the stores nor reads a record.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self

from rightstore import wiring
from rightstore.clock import Clock
from rightstore.errors import UnavailableError, UnsupportedError, UsageError
from rightstore.model.declaration import STORES, Declaration, StoreName
from rightstore.ports.placement import Placement, Placements
from rightstore.ports.portability import Obstacle, missing
from rightstore.ports.records import RecordStore
from rightstore.ports.relational import Relational
from rightstore.settings import Settings
from rightstore.stores.engine import Engine, engines, in_memory, kind_of, tables
from rightstore.stores.placement import FALLBACK, place
from rightstore.stores.portability import groups, obstacles, ungrouped


@dataclass(frozen=True, slots=True)
class Ground:
    """The open stores of one application, by name, and where its entities live, by name.

    In memory one store has every name, and there are neither tables nor placements to keep. It
    implements `Places`.
    """

    application: str
    declarations: Sequence[Declaration]
    engines: Mapping[str, Engine]
    placed: Mapping[str, Placement]
    placements: Placements | None = None
    sql: Relational | None = None

    def living_in(self, store: str) -> list[Declaration]:
        """Return the entities that live in this store."""
        return [each for each in self.declarations if self.placed[each.name].store == store]

    def engine_of(self, declaration: Declaration) -> Engine:
        """Return the store that an entity lives in; UsageError for one of another application."""
        placed = self.placed.get(declaration.name)
        if placed is None:
            raise UsageError(
                f"{declaration.name} is no part of {self.application}: pass the module that "
                "declares it to Rightstore(…)."
            )
        return self.engines[placed.store]

    async def settled(self) -> Self:
        """Record where new entities start, and return the ground as it is recorded then.

        Another process may have recorded first, from other settings than ours.
        """
        if self.placements is None:
            return self
        recorded = await self.placements.record(list(self.placed.values()))
        for each in recorded.values():
            if each.entity in self.placed and each.store not in self.engines:
                raise UnavailableError(
                    f"{self.application}: meanwhile another process, with other settings, has "
                    f"placed {each.entity} in {each.store}, which is not open here: open it again",
                    store=each.store,
                    operation="open",
                    outcome="not applied",
                )
        placed = place(self.application, self.declarations, recorded, self.engines)
        return replace(self, placed=placed)

    def store_of(self, declaration: Declaration) -> RecordStore:
        """Return the store that holds an entity now."""
        return self.engine_of(declaration).records

    def name_of(self, declaration: Declaration) -> str:
        """Return the name of that store."""
        return self.engine_of(declaration).store

    def relational(self) -> Relational | None:
        """Return the store of tables; None in memory."""
        return self.sql

    def connections(self, engine: Engine) -> int | None:
        """Return how many connections this application has to a store, where that is known."""
        if engine.connections is None or self.sql is None or engine.store != FALLBACK:
            return engine.connections
        return engine.connections + self.sql.connections

    def control(self) -> RecordStore:
        """Return the store that is always there."""
        return self.engines[FALLBACK].records


@asynccontextmanager
async def ground(
    application: str, declarations: Sequence[Declaration], settings: Settings, clock: Clock
) -> AsyncIterator[Ground]:
    """Open the stores that are needed: where entities live, and PostgreSQL in any case.

    UsageError and its kinds for what can never work, with every reason; StoreError when a store
    cannot be reached. Afterwards, whatever happened, nothing is open.
    """
    if settings.is_memory:
        placed = place(application, declarations, {}, STORES)
        engine = in_memory(clock)
        yield Ground(application, declarations, dict.fromkeys(STORES, engine), placed)
        return
    targets = wiring.targets(settings)
    async with AsyncExitStack() as stack:
        control = await stack.enter_async_context(engines([targets[FALLBACK]], application, clock))
        placements: Placements = wiring.part(FALLBACK, "placement")(
            control[FALLBACK].connection, application, clock
        )
        placed = place(application, declarations, await placements.read(), targets)
        _refuse(application, declarations, placed)
        needed = {each.store for each in placed.values()} - {FALLBACK}
        others = await stack.enter_async_context(
            engines([targets[store] for store in sorted(needed)], application, clock)
        )
        relational = await stack.enter_async_context(tables(control[FALLBACK], application, clock))
        opened = {**control, **others}
        found = Ground(application, declarations, opened, placed, placements, relational)
        _refuse_servers(found)
        yield found


def _refuse(
    application: str, declarations: Sequence[Declaration], placed: Mapping[str, Placement]
) -> None:
    """Refuse what no server of the kind can hold, before any of them is asked."""
    shared = groups(declarations)
    found: list[tuple[Declaration, StoreName, Obstacle]] = [
        (declaration, store, obstacle)
        for declaration in declarations
        for store in [placed[declaration.name].store]
        for obstacle in obstacles(declaration, kind_of(store), shared)
    ]
    _raise(application, found)


def _refuse_servers(found: Ground) -> None:
    """Refuse what the servers that are there do not do, although their kind can."""
    shared = groups(found.declarations)

    def judged() -> Iterator[tuple[Declaration, StoreName, Obstacle]]:
        for declaration in found.declarations:
            store = found.placed[declaration.name].store
            able = found.engines[store].records.capabilities
            for obstacle in (
                *missing(declaration, able),
                *ungrouped(declaration, able, shared),
            ):
                yield declaration, store, _of_server(obstacle)

    _raise(found.application, list(judged()))


def _of_server(obstacle: Obstacle) -> Obstacle:
    """Return it as what this server lacks: others of its kind were found able before."""
    return replace(
        obstacle,
        reason=f"this server lacks what others of its kind have: {obstacle.reason}",
        remedy=f'use another server or a newer release, or home="postgres", or {obstacle.remedy}',
    )


def _raise(application: str, found: Sequence[tuple[Declaration, str, Obstacle]]) -> None:
    if found:
        reasons = "; ".join(
            f"{declaration.name} in {store}: {obstacle.subject}: {obstacle.reason}: "
            f"{obstacle.remedy}"
            for declaration, store, obstacle in found
        )
        raise UnsupportedError(f"{application} cannot open: {reasons}.")
