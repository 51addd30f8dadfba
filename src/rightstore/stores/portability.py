"""The portability report: which stores can hold each entity, why not the others, what to change.

It is judged from the declarations alone, before anything runs; a server may do less than its kind,
which is judged again when the application opens.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rightstore.model.declaration import STORES, Declaration, StoreName
from rightstore.ports.capability import Capability
from rightstore.ports.portability import Obstacle, Portability
from rightstore.repository.scope import RELATIONAL
from rightstore.stores.wish import unbuilt


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of store can hold: its judge of declarations, and what it can do at most."""

    judge: Portability
    capabilities: frozenset[Capability]
    has_tables: bool = False


@dataclass(frozen=True, slots=True)
class EntityReport:
    """One entity: what is in its way in each store, and what no store does for it yet.

    `search` is what is in the way of searching it in each store of search; empty without the wish.
    """

    entity: str
    home: StoreName
    group: str
    obstacles: Mapping[StoreName, Sequence[Obstacle]]
    unbuilt: Sequence[str] = ()
    search: Mapping[str, Sequence[Obstacle]] = field(default_factory=dict[str, Sequence[Obstacle]])

    @property
    def fits_home(self) -> bool:
        """Whether it can live where it is wished, with all that it wishes."""
        return not self.obstacles[self.home] and not self.unbuilt


@dataclass(frozen=True, slots=True)
class Escape:
    """A use of a driver's own client: what uses it does not move with an entity."""

    client: str
    why: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The portability of one application."""

    application: str
    entities: Sequence[EntityReport]
    escapes: Sequence[Escape] = ()

    @property
    def is_well(self) -> bool:
        """Whether every entity can live where it is wished."""
        return all(entity.fits_home for entity in self.entities)


def examine(
    application: str,
    declarations: Sequence[Declaration],
    kinds: Callable[[StoreName], Kind],
    *,
    searchers: Mapping[str, Portability],
    escapes: Sequence[Escape] = (),
) -> Report:
    """Judge every entity against every kind of store, and every searched one by the searchers."""
    shared = groups(declarations)
    by_store = {store: kinds(store) for store in STORES}
    entities = tuple(
        EntityReport(
            entity=declaration.name,
            home=declaration.home,
            group=declaration.group,
            obstacles={
                store: obstacles(declaration, kind, shared) for store, kind in by_store.items()
            },
            unbuilt=tuple(unbuilt(declaration)),
            search={store: judge(declaration) for store, judge in searchers.items()}
            if declaration.search
            else {},
        )
        for declaration in declarations
    )
    return Report(application, entities, tuple(escapes))


def groups(declarations: Sequence[Declaration]) -> Collection[str]:
    """Return the groups that have several entities: they need transactions over records."""
    sizes = Counter(declaration.group for declaration in declarations)
    return {group for group, size in sizes.items() if size > 1}


def obstacles(
    declaration: Declaration, kind: Kind, shared: Collection[str]
) -> tuple[Obstacle, ...]:
    """Return everything that is in the way of an entity in one kind of store."""
    return (
        *kind.judge(declaration),
        *ungrouped(declaration, kind.capabilities, shared),
        *_untabled(declaration, kind),
    )


def _untabled(declaration: Declaration, kind: Kind) -> Iterator[Obstacle]:
    if declaration.group == RELATIONAL and not kind.has_tables:
        yield Obstacle(
            f"group {RELATIONAL}",
            "it is written in one transaction with tables, which live in PostgreSQL",
            "keep it there, or give it a group of its own and write it after the tables",
        )


def ungrouped(
    declaration: Declaration, capabilities: frozenset[Capability], shared: Collection[str]
) -> Iterator[Obstacle]:
    """Yield what is in the way of writing the entities of a group together."""
    if declaration.group in shared and "transaction" not in capabilities:
        yield Obstacle(
            f"group {declaration.group}",
            "it has no transactions over several records",
            "use a store that has them, or give the entities groups of their own and a saga",
        )
