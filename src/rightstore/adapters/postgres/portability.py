"""Port `portability` for PostgreSQL: what its tables of entities cannot hold."""

from collections.abc import Iterator, Sequence

from rightstore.errors import UnsupportedError
from rightstore.model.declaration import Declaration
from rightstore.ports import capability
from rightstore.ports.capability import Capability
from rightstore.ports.portability import Obstacle, missing

# What an index of the server takes, the key included.
_COLUMNS = 31
_OURS = "rightstore_"
# A name has 63 bytes; that of a table of search has ours before it, and a number.
MAX_SEARCHED_NAME = 36
CAPABILITIES: frozenset[Capability] = capability.CAPABILITIES


def obstacles(declaration: Declaration) -> Sequence[Obstacle]:
    """Return everything that is in the way; nothing when PostgreSQL can hold the entity."""
    return [*missing(declaration, CAPABILITIES), *_named(declaration), *_wide(declaration)]


def search_obstacles(declaration: Declaration) -> Sequence[Obstacle]:
    """Return what is in the way of searching the entity here; nothing when it can be searched."""
    if len(declaration.name) <= MAX_SEARCHED_NAME:
        return []
    return [
        Obstacle(
            f"name={declaration.name!r}",
            f"the name of an entity that is searched has up to {MAX_SEARCHED_NAME} letters",
            "declare a shorter name=, or set OPENSEARCH_URL",
        )
    ]


def refuse(declaration: Declaration) -> None:
    """Raise UnsupportedError for the first obstacle; names of ours are for ourselves."""
    for obstacle in (*missing(declaration, CAPABILITIES), *_wide(declaration)):
        raise UnsupportedError(
            f"{declaration.name}: postgres cannot hold it: {obstacle.subject}: {obstacle.reason}: "
            f"{obstacle.remedy}."
        )


def _named(declaration: Declaration) -> Iterator[Obstacle]:
    if declaration.name.lower().startswith(_OURS):
        yield Obstacle(
            f"name={declaration.name!r}",
            f"tables that begin with {_OURS} are Rightstore's own",
            "take another name",
        )


def _wide(declaration: Declaration) -> Iterator[Obstacle]:
    for index in declaration.indexes:
        if len(index.fields) > _COLUMNS:
            yield Obstacle(
                f"Index({', '.join(index.fields)})",
                f"an index has up to {_COLUMNS} fields",
                "leave some out",
            )
