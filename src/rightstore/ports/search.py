"""Port `search`: documents of one entity by the words in them; a copy, never the authority.

A document is the stored form of a record. Who feeds and rebuilds an index is not its business. What
a question means is here and in `model.word`, the same for every store; `adapters/memory` is it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, get_args

from rightstore.errors import StateError, StoreError
from rightstore.model.condition import Condition
from rightstore.model.declaration import Declaration
from rightstore.model.measure import Unit
from rightstore.model.order import Order
from rightstore.model.place import Place
from rightstore.model.word import Term, terms

SearchCapability = Literal["typos", "weights"]
"""`typos`: a word finds those with one letter wrong. `weights`: any number of different weights of
fields counts; without it they are rounded to four."""
SEARCH_CAPABILITIES: frozenset[SearchCapability] = frozenset(get_args(SearchCapability))

MAX_SIZE = 1_000
MAX_RELEVANT = 1_000
MAX_QUERY = 1_000
MAX_TERMS = 32
MAX_PARTS = 20
MAX_BUCKETS = 1_000
# What one document may hold in its searched fields, in bytes of words.
MAX_TEXT = 262_144
# A greater number is in no histogram: not every store could say exactly in which.
MAX_COUNTED = 2**53
Position: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A record as it was at a version, by its stored key; without data it is a tombstone."""

    key: str = field(repr=False)
    version: int
    data: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Facet:
    """Count the documents by value of a declared facet: the `limit` most frequent values."""

    place: Place
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Histogram:
    """Count the documents by step of a number (from 0 in steps of this), or by unit of a moment."""

    place: Place
    step: int | Unit


@dataclass(frozen=True, slots=True)
class Ask:
    """What to find. "" is everything; every word of a text must be in some searched field.

    With `prefix` the last word may be the beginning of one; with `typos` a word of at least four
    letters also finds those with one letter wrong, missing or too many, or two swapped. `orders` is
    total (`model.query.orders`), or empty for the most relevant first. `after` is a `next`.
    """

    text: str = field(default="", repr=False)
    where: Condition | None = None
    orders: tuple[Order, ...] = ()
    size: int = 20
    after: Position | None = field(default=None, repr=False)
    prefix: bool = False
    typos: bool = False
    highlight: bool = False
    facets: tuple[Facet, ...] = ()
    histograms: tuple[Histogram, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """The words that are wanted."""
        return terms(self.text, prefix=self.prefix, typos=self.typos)

    @property
    def offset(self) -> int:
        """How many of the most relevant to leave out; with `orders` none."""
        return int(self.after[0]) if self.after and not self.orders else 0

    @property
    def limit(self) -> int:
        """How many hits the page can have; the store fetches one more, to see whether there is."""
        return self.size if self.orders else min(self.size, MAX_RELEVANT - self.offset)


@dataclass(frozen=True, slots=True)
class Hit:
    """A document found; `marks` are pieces of its texts as safe HTML, by path."""

    key: str = field(repr=False)
    version: int
    data: dict[str, Any] = field(repr=False)
    marks: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, slots=True)
class Tally:
    """A value in stored form, or where a bucket begins, and how many documents have it."""

    value: Any = field(repr=False)
    count: int


@dataclass(frozen=True, slots=True)
class Hits:
    """The page; `total` and tallies are those of all pages, exactly, as they were asked for."""

    total: int
    items: tuple[Hit, ...]
    facets: tuple[tuple[Tally, ...], ...] = ()
    histograms: tuple[tuple[Tally, ...], ...] = ()
    next: Position | None = field(default=None, repr=False)


class SearchIndex(Protocol):
    """One entity's index, or one generation of it. No error leaves half a document in it."""

    async def index(self, documents: Sequence[Document]) -> list[bool | StateError | StoreError]:
        """Take each whose version is above what is there; return what became of each.

        True: it was taken; False: this version or a newer one was there, tombstones included, for
        ever, so any order and any repetition of writes ends the same. One that fails stops no
        other. ConstraintError for more text than MAX_TEXT. UsageError, before anything is written,
        for a key that comes twice or a version below 1. What was taken is found after `settle`.
        """
        ...

    async def query(self, ask: Ask) -> Hits:
        """Return one page of what is found, without tombstones, with its counts.

        By fields, a document that was there from the first page to the last is seen exactly once,
        whatever is written meanwhile. By relevance (equal ones by key) pages may shift, and end
        with the first 1,000 hits: InvalidQueryError beyond.
        """
        ...

    async def suggest(self, text: str, size: int = 10) -> list[str]:
        """Return values of the heaviest searched single text that begin to look like this.

        Those that hold every word, the last as a beginning; the most frequent first, then by text.
        """
        ...

    async def settle(self) -> None:
        """Return when everything taken so far is found."""
        ...


class SearchStore(Protocol):
    """One store of search: what it can do, and the generations of each entity's index."""

    @property
    def capabilities(self) -> frozenset[SearchCapability]:
        """What it can do beyond this contract."""
        ...

    def index(self, declaration: Declaration, generation: int | None = None) -> SearchIndex:
        """Return the index that is live, or one generation; no I/O. Unless it exists, UsageError
        (UnsupportedError for an entity that this store cannot search) comes from its methods."""
        ...

    async def prepare(self, declaration: Declaration) -> None:
        """See that there is a live index; doing it twice, or in two processes, does no harm."""
        ...

    async def create(self, declaration: Declaration) -> int:
        """Make a new generation, empty and not live; return its number."""
        ...

    async def swap(self, declaration: Declaration, generation: int) -> None:
        """Make it the live one, in one step, and drop the one before. Already live: nothing."""
        ...

    async def drop(self, declaration: Declaration, generation: int) -> None:
        """Remove a generation that is not live; none there: nothing. UsageError for the live."""
        ...
