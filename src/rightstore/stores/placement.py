"""Where each entity lives: as recorded, else at home, else in PostgreSQL. It moves nothing."""

from collections.abc import Collection, Mapping, Sequence

from rightstore.errors import NotConfiguredError, UsageError
from rightstore.model.declaration import Declaration, StoreName
from rightstore.ports.placement import Placement

FALLBACK: StoreName = "postgres"


def place(
    application: str,
    declarations: Sequence[Declaration],
    recorded: Mapping[str, Placement],
    configured: Collection[str],
) -> dict[str, Placement]:
    """Return the place of each entity by its name; the entities of a group share one.

    UsageError for a group that is spread over stores, NotConfiguredError for an entity that lives
    where no URL leads.
    """
    members: dict[str, list[Declaration]] = {}
    for declaration in declarations:
        members.setdefault(declaration.group, []).append(declaration)
    stores = {
        group: _store(application, entities, recorded, configured)
        for group, entities in members.items()
    }
    return {each.name: Placement(each.name, each.home, stores[each.group]) for each in declarations}


def _store(
    application: str,
    entities: Sequence[Declaration],
    recorded: Mapping[str, Placement],
    configured: Collection[str],
) -> StoreName:
    """Return the store of a group: those that live somewhere already draw the new ones there."""
    living = {each.name: recorded[each.name].store for each in entities if each.name in recorded}
    wished = living or {each.name: each.home for each in entities}
    if len(set(wished.values())) > 1:
        where = ", ".join(f"{name} in {store}" for name, store in wished.items())
        raise UsageError(
            f"{application}: the group {entities[0].group} is spread over stores ({where}): its "
            "records are written together, so give its entities one home=."
        )
    store = next(iter(wished.values()))
    if store in configured:
        return store
    if living:
        raise NotConfiguredError(
            f"{application}: {', '.join(living)} lives in {store}, but {store.upper()}_URL is not "
            "set: set it, or move the entity away from there first."
        )
    return FALLBACK
