"""Port `search` around another adapter, each operation measured. It counts no bytes."""

from collections.abc import Sequence

from rightstore.clock import SYSTEM, Clock
from rightstore.errors import StateError, StoreError
from rightstore.model.declaration import Declaration
from rightstore.ports.search import (
    Ask,
    Document,
    Hits,
    SearchCapability,
    SearchIndex,
    SearchStore,
)
from rightstore.telemetry.operation import measured


class MeasuredIndex:
    """Implements port `SearchIndex`."""

    __slots__ = ("_clock", "_index", "_store")

    def __init__(self, index: SearchIndex, store: str, clock: Clock = SYSTEM) -> None:
        self._index, self._store, self._clock = index, store, clock

    async def index(self, documents: Sequence[Document]) -> list[bool | StateError | StoreError]:
        """Take each whose version is above what is there; return what became of each."""
        with measured(self._store, "index", self._clock):
            return await self._index.index(documents)

    async def query(self, ask: Ask) -> Hits:
        """Return one page of what is found."""
        with measured(self._store, "search", self._clock):
            return await self._index.query(ask)

    async def suggest(self, text: str, size: int = 10) -> list[str]:
        """Return values that begin to look like this."""
        with measured(self._store, "suggest", self._clock):
            return await self._index.suggest(text, size)

    async def settle(self) -> None:
        """Return when everything taken so far is found."""
        with measured(self._store, "settle", self._clock):
            await self._index.settle()


class MeasuredSearch:
    """Implements port `SearchStore`."""

    def __init__(self, search: SearchStore, store: str, clock: Clock = SYSTEM) -> None:
        self._search, self._store, self._clock = search, store, clock

    @property
    def capabilities(self) -> frozenset[SearchCapability]:
        """What it can do beyond the contract."""
        return self._search.capabilities

    def index(self, declaration: Declaration, generation: int | None = None) -> SearchIndex:
        """Return the index that is live, or one generation, measured."""
        index = self._search.index(declaration, generation)
        return MeasuredIndex(index, self._store, self._clock)

    async def prepare(self, declaration: Declaration) -> None:
        """See that there is a live index."""
        with measured(self._store, "prepare_index", self._clock):
            await self._search.prepare(declaration)

    async def create(self, declaration: Declaration) -> int:
        """Make a new generation; return its number."""
        with measured(self._store, "create_index", self._clock):
            return await self._search.create(declaration)

    async def swap(self, declaration: Declaration, generation: int) -> None:
        """Make it the live one."""
        with measured(self._store, "swap_index", self._clock):
            await self._search.swap(declaration, generation)

    async def drop(self, declaration: Declaration, generation: int) -> None:
        """Remove a generation that is not live."""
        with measured(self._store, "drop_index", self._clock):
            await self._search.drop(declaration, generation)
