"""Rightstore: what one application consists of, collected from its modules. It does no I/O.

The web process, the worker and the tests import the same definition; `opening` makes it run.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import TYPE_CHECKING, Any, final

from rightstore.errors import UsageError
from rightstore.model.declaration import Declaration, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.job import Job
from rightstore.model.upgrade import check_upgrades
from rightstore.stores.engine import kind_of, searchers
from rightstore.stores.escape import escapes
from rightstore.stores.opening import opened
from rightstore.stores.portability import Report, examine
from rightstore.stores.table import check_names, tracked

if TYPE_CHECKING:
    from rightstore.settings import Settings
    from rightstore.stores.stores import Stores
    from rightstore.table.track import TrackedTable

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OURS = "rightstore_"


@final
class Rightstore:
    """One application: its name is its namespace in every store. Several per process are fine."""

    def __init__(self, name: str, *modules: ModuleType) -> None:
        given: object = name
        if not isinstance(given, str) or not _NAME.fullmatch(given):
            raise UsageError(
                f"Rightstore({name!r}): a name has 1 to 40 of a-z, 0-9 and '_', a letter first: "
                "write 'shop'."
            )
        self.name: str = name
        self.declarations: tuple[Declaration, ...] = tuple(_declarations(name, modules))
        self.tables: tuple[TrackedTable[Any], ...] = tracked(name, modules)
        self.modules: tuple[ModuleType, ...] = modules
        check_names(name, (each.name for each in self.declarations), modules)

    def open(
        self, settings: "Settings | None" = None, *, work: bool = False
    ) -> "AbstractAsyncContextManager[Stores]":
        """Connect to the stores that are needed. With `work`, this process does their upkeep too.

        Raises UsageError for what can never work with these settings, all of it named; StoreError
        when a store cannot be reached; after either nothing stays open.
        """
        return opened(
            self.name,
            self.declarations,
            settings,
            modules=self.modules,
            tables=self.tables,
            work=work,
        )

    def portability(self) -> Report:
        """Say which stores can hold each entity, and why not the others; nothing is asked."""
        return examine(
            self.name,
            self.declarations,
            kind_of,
            searchers=searchers(),
            escapes=tuple(escapes(self.modules)),
        )

    def __repr__(self) -> str:
        counts = f"{len(self.declarations)} entities, {len(self.tables)} tables"
        return f"<Rightstore {self.name}: {counts}>"


def _declarations(application: str, modules: Iterable[ModuleType]) -> Iterator[Declaration]:
    """Yield the declaration of each entity that these modules hold, judged to its end."""
    names: dict[str, type[Entity]] = {}
    for kind in _entities(modules):
        declaration = declaration_of(kind)
        check_upgrades(declaration)
        other = names.setdefault(declaration.name, kind)
        if other is not kind:
            raise UsageError(
                f"{application}: {_path(other)} and {_path(kind)} are both named "
                f"{declaration.name}: give one of them another name=."
            )
        if declaration.name.startswith(_OURS):
            raise UsageError(
                f"{application}: {_path(kind)} is named {declaration.name}, and names that begin "
                f"with {_OURS} are the library's: give it another name=."
            )
        yield declaration


def _entities(modules: Iterable[ModuleType]) -> dict[type[Entity], None]:
    """Return the entities of the modules, declared there or imported, in order, each once."""
    found: dict[type[Entity], None] = {}
    for module in modules:
        if not isinstance(module, ModuleType):
            raise UsageError(
                f"Rightstore takes modules, not {type(module).__name__}: pass the module that "
                "declares your entities, sys.modules[__name__] for this one."
            )
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Entity) and thing not in (Entity, Job):
                found[thing] = None
    return found


def _path(kind: type[object]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
