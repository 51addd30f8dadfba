"""Wishes whose mechanism is not built yet: validated where they are declared, refused at start.

None is accepted and ignored; each line here goes with the step that builds its mechanism.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rightstore.errors import UnsupportedError
from rightstore.model.declaration import Declaration

if TYPE_CHECKING:
    from rightstore.table.track import TrackedTable

UNBUILT = {
    "cache": "Cache(…)",
    "search": "Search(…)",
    "personal": "Personal(…)",
    "shard": "shard=",
}


def unbuilt(declared: "Declaration | TrackedTable[Any]") -> Iterator[str]:
    """Yield each wish of an entity or a table that nothing fulfils yet, as it is written."""
    for word, written in UNBUILT.items():
        if getattr(declared, word, None):
            yield written


def refuse_unbuilt(
    declarations: Sequence[Declaration], tables: "Sequence[TrackedTable[Any]]" = ()
) -> None:
    """Raise UnsupportedError that names every entity, table and wish that is not built yet."""
    everything: list[Declaration | TrackedTable[Any]] = [*declarations, *tables]
    found = [
        f"{declared.name} wishes {', '.join(wishes)}"
        for declared in everything
        if (wishes := list(unbuilt(declared)))
    ]
    if found:
        raise UnsupportedError(
            f"{'; '.join(found)}: this is not built yet and would be ignored: leave it out until "
            "it is."
        )
