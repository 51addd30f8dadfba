"""What reading gives beyond the record itself: where it came from, and one page of many."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A record with its public form, its version and the store that gave it."""

    value: T
    json: bytes = field(repr=False)
    version: int
    source: str

    @property
    def cached(self) -> bool:
        """Whether a cache gave it, not the store that holds it."""
        return self.source in {"near", "redis"}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some records in order; `next` is the cursor of the page after it, None when it is the last.

    A cursor is opaque, but no secret: it holds the values that the order goes by.
    """

    items: list[T]
    next: str | None = field(repr=False)
