"""What MongoDB can hold at all; it is judged without the driver (`probe` asks a server)."""

from collections.abc import Iterator, Sequence

from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability
from rightstore.ports.portability import Obstacle, missing

CAPABILITIES: frozenset[Capability] = frozenset(
    {"scan", "unique", "aggregate", "transaction", "fresh"}
)
# Besides these there is the index of the key.
MAX_INDEXES = 63


def obstacles(declaration: Declaration) -> Sequence[Obstacle]:
    """Return everything that is in the way; nothing when MongoDB can hold the entity."""
    return [
        *missing(declaration, CAPABILITIES),
        *_indexes(declaration),
    ]


def _indexes(declaration: Declaration) -> Iterator[Obstacle]:
    if len(declaration.indexes) + bool(declaration.retain) > MAX_INDEXES:
        yield Obstacle(
            "indexes", f"a collection has up to {MAX_INDEXES}", "drop those that are not asked for"
        )
    for index in declaration.indexes:
        lists = [path for path, _ in index.columns if declaration.place(path).kind.tag == "list"]
        if len(lists) > 1:
            yield Obstacle(
                f"Index({', '.join(index.fields)})",
                "an index holds one list at most",
                "declare an index for each list",
            )
