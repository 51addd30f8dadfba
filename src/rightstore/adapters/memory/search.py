"""Port `search` in memory: the reference meaning, exact and slow. It keeps nothing.

Relevance is a sum over the places of the wanted words, weighted; stores have measures of their own.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rightstore.clock import Clock
from rightstore.errors import StateError, StoreError, UsageError
from rightstore.model.declaration import Declaration
from rightstore.model.evaluate import Rank, is_after, satisfies, sort_key, value_at
from rightstore.model.group import floor
from rightstore.model.record import copied
from rightstore.model.word import Term, words
from rightstore.ports.question import (
    Text,
    check_buckets,
    judge_ask,
    judge_documents,
    page,
    refusal,
    searched,
    suggested,
    texts,
)
from rightstore.ports.search import (
    MAX_COUNTED,
    SEARCH_CAPABILITIES,
    Ask,
    Document,
    Facet,
    Histogram,
    Hits,
    SearchCapability,
    Tally,
)


@dataclass(slots=True)
class Shelf:
    """The generations of one entity by number, and which one is live."""

    generations: dict[int, dict[str, Document]] = field(default_factory=dict)
    live: int = 0
    last: int = 0

    def add(self) -> int:
        """Make a generation; numbers are not used again."""
        self.last += 1
        self.generations[self.last] = {}
        return self.last


class MemorySearch:
    """A store of search in this process."""

    def __init__(
        self, clock: Clock, capabilities: frozenset[SearchCapability] = SEARCH_CAPABILITIES
    ) -> None:
        self._clock, self._capabilities = clock, capabilities
        self._shelves: dict[str, Shelf] = {}

    @property
    def capabilities(self) -> frozenset[SearchCapability]:
        """It can do everything, or what it was told to admit."""
        return self._capabilities

    def index(self, declaration: Declaration, generation: int | None = None) -> "MemoryIndex":
        """Return the live index, or one generation."""
        shelf = self._shelves.setdefault(declaration.name, Shelf())
        return MemoryIndex(
            declaration, shelf, generation, clock=self._clock, capabilities=self._capabilities
        )

    async def prepare(self, declaration: Declaration) -> None:
        """See that there is a live index."""
        await self._clock.sleep(0)
        shelf = self._shelf(declaration)
        shelf.live = shelf.live or shelf.add()

    async def create(self, declaration: Declaration) -> int:
        """Make a new generation."""
        await self._clock.sleep(0)
        return self._shelf(declaration).add()

    async def swap(self, declaration: Declaration, generation: int) -> None:
        """Make it the live one; drop the one before."""
        await self._clock.sleep(0)
        shelf = self._shelf(declaration)
        rows(declaration, shelf, generation)
        if shelf.live != generation:
            shelf.generations.pop(shelf.live, None)
            shelf.live = generation

    async def drop(self, declaration: Declaration, generation: int) -> None:
        """Remove a generation that is not live."""
        await self._clock.sleep(0)
        shelf = self._shelf(declaration)
        if generation == shelf.live:
            raise UsageError(f"{declaration.name}: this index is live: swap another one in first.")
        shelf.generations.pop(generation, None)

    def _shelf(self, declaration: Declaration) -> Shelf:
        searched(declaration)
        return self._shelves.setdefault(declaration.name, Shelf())


class MemoryIndex:
    """One entity's index."""

    def __init__(
        self,
        declaration: Declaration,
        shelf: Shelf,
        generation: int | None,
        *,
        clock: Clock,
        capabilities: frozenset[SearchCapability],
    ) -> None:
        self._declaration, self._shelf, self._generation = declaration, shelf, generation
        self._clock, self._capabilities = clock, capabilities

    async def index(self, documents: Sequence[Document]) -> list[bool | StateError | StoreError]:
        """Take each whose version is above what is there."""
        judge_documents(self._declaration, documents)
        await self._clock.sleep(0)
        there = self._rows()
        return [self._take(there, document) for document in documents]

    async def query(self, ask: Ask) -> Hits:
        """Return one page of what is found, with its counts."""
        judge_ask(self._declaration, ask, self._capabilities)
        await self._clock.sleep(0)
        found = [one for one in self._alive() if _is_found(self._declaration, ask, one)]
        data = [document.data or {} for document in found]
        return Hits(
            len(found),
            facets=tuple(tally(data, facet) for facet in ask.facets),
            histograms=tuple(buckets(data, histogram) for histogram in ask.histograms),
            **page(self._declaration, ask, self._window(ask, found)),
        )

    async def suggest(self, text: str, size: int = 10) -> list[str]:
        """Return values that begin to look like this."""
        field = suggested(self._declaration)
        ask = Ask(text, prefix=True, size=size)
        judge_ask(self._declaration, ask, self._capabilities)
        await self._clock.sleep(0)
        found = [
            document.data or {}
            for document in self._alive()
            if ask.terms and _weight([field], ask.terms, document.data or {})
        ]
        return [one.value for one in tally(found, Facet(field.place, size))]

    async def settle(self) -> None:
        """What was taken is found at once."""
        await self._clock.sleep(0)

    def _rows(self) -> dict[str, Document]:
        return rows(self._declaration, self._shelf, self._generation)

    def _alive(self) -> list[Document]:
        return [document for document in self._rows().values() if document.data is not None]

    def _take(
        self, there: dict[str, Document], document: Document
    ) -> bool | StateError | StoreError:
        no = refusal(self._declaration, document)
        old = there.get(document.key)
        if no or (old and old.version >= document.version):
            return no or False
        there[document.key] = Document(document.key, document.version, copied(document.data))
        return True

    def _window(self, ask: Ask, found: list[Document]) -> list[Document]:
        if ask.orders:
            found = sorted(found, key=lambda one: sort_key(one.data or {}, ask.orders))
            after = ask.after
            if after is not None:
                found = [one for one in found if is_after(one.data or {}, ask.orders, after)]
        else:
            fields = texts(self._declaration)
            found.sort(key=lambda one: (-_weight(fields, ask.terms, one.data or {}), one.key))
        shown = found[ask.offset : ask.offset + ask.limit + 1]
        return [Document(one.key, one.version, copied(one.data)) for one in shown]


def rows(declaration: Declaration, shelf: Shelf, generation: int | None) -> dict[str, Document]:
    """Return a generation's documents; UsageError when there is no such generation."""
    there = shelf.generations.get(shelf.live if generation is None else generation)
    if there is None:
        raise UsageError(f"{declaration.name} has no such search index: prepare or create it.")
    return there


def tally(found: Iterable[Mapping[str, Any]], facet: Facet) -> tuple[Tally, ...]:
    """Count by value, the items of a list each once; the most frequent first, then by value."""
    counts: list[tuple[Any, int]] = []
    values = sorted(
        (value for data in found for value in _distinct(value_at(data, facet.place))), key=Rank
    )
    for value in values:
        if counts and Rank(counts[-1][0]) == Rank(value):
            counts[-1] = (value, counts[-1][1] + 1)
        else:
            counts.append((value, 1))
    counts.sort(key=lambda pair: -pair[1])
    return tuple(Tally(*pair) for pair in counts[: facet.limit])


def buckets(found: Iterable[Mapping[str, Any]], histogram: Histogram) -> tuple[Tally, ...]:
    """Count by bucket, in the order of the buckets; those without a document are left out."""
    counts: dict[Any, int] = {}
    for data in found:
        value = value_at(data, histogram.place)
        if value is None:
            continue
        if isinstance(histogram.step, int):
            whole = math.floor(value)
            if abs(whole) > MAX_COUNTED:
                continue
            start: Any = whole // histogram.step * histogram.step
        else:
            start = floor(value, histogram.step)
        counts[start] = counts.get(start, 0) + 1
    check_buckets(histogram, len(counts))
    return tuple(Tally(start, counts[start]) for start in sorted(counts))


def _distinct(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    return [one for at, one in enumerate(items) if one is not None and one not in items[:at]]


def _is_found(declaration: Declaration, ask: Ask, document: Document) -> bool:
    data = document.data or {}
    if ask.where is not None and not satisfies(data, ask.where):
        return False
    return not ask.text.strip() or _weight(texts(declaration), ask.terms, data) > 0


def _weight(fields: Sequence[Text], wanted: Sequence[Term], data: Mapping[str, Any]) -> float:
    """Return how relevant a document is; 0 when some word is in none of its fields."""
    held = [(field.weight, words(field.of(data))) for field in fields]
    found = [
        sum(weight * term.weigh(word) for weight, some in held for word in some) for term in wanted
    ]
    return sum(found) if all(found) else 0.0
