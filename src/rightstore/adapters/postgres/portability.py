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
CAPABILITIES: frozenset[Capability] = capability.CAPABILITIES


def obstacles(declaration: Declaration) -> Sequence[Obstacle]:
    """Return everything that is in the way; nothing when PostgreSQL can hold the entity."""
    return [*missing(declaration, CAPABILITIES), *_named(declaration), *_wide(declaration)]


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
