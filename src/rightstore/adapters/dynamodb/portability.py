"""What DynamoDB can hold at all, judged from a declaration alone."""

from collections.abc import Iterator, Sequence

from rightstore.adapters.dynamodb.item import OURS
from rightstore.adapters.dynamodb.layout import Layout, is_ambiguous
from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability
from rightstore.ports.portability import Obstacle, missing

CAPABILITIES: frozenset[Capability] = frozenset({"transaction"})
MAX_INDEXES = 20


def obstacles(declaration: Declaration) -> Sequence[Obstacle]:
    """Return everything that is in the way; nothing when DynamoDB can hold the entity."""
    return [
        *missing(declaration, CAPABILITIES),
        *_names(declaration),
        *_indexes(declaration),
        *_layout(declaration),
    ]


def _names(declaration: Declaration) -> Iterator[Obstacle]:
    for field in declaration.fields.values():
        if field.stored in OURS:
            yield Obstacle(
                field.name,
                f"the stored name {field.stored!r} is taken by the store itself",
                "give the field another stored_as",
            )


def _indexes(declaration: Declaration) -> Iterator[Obstacle]:
    if len(declaration.indexes) > MAX_INDEXES:
        yield Obstacle(
            "indexes",
            f"a table has {MAX_INDEXES} indexes at most, not {len(declaration.indexes)}",
            "drop those that no query needs",
        )
    for index in declaration.indexes:
        for path, _ in index.columns:
            if declaration.place(path).kind.tag == "list":
                yield Obstacle(
                    f"Index({', '.join(index.fields)})",
                    f"{path} is a list, and an index there has one value a record",
                    "keep each item as a record of an entity of its own",
                )


def _layout(declaration: Declaration) -> Iterator[Obstacle]:
    for word in Layout(declaration).words:
        if is_ambiguous(word):
            yield Obstacle(
                "layout",
                f"in {word} nothing keeps two fields apart",
                "put a sign such as '#' between them",
            )
