"""Where things live in these tests: all of it in memory, without tables."""

from dataclasses import dataclass, field

import pytest

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.model.declaration import Declaration
from rightstore.ports.records import RecordStore
from rightstore.ports.relational import Relational
from rightstore.repository.repository import Repository
from rightstore.testing.contract.sample import Fact, Sample


@dataclass
class Memory:
    """Implements `Places` with one store in memory."""

    store: RecordStore = field(default_factory=lambda: MemoryStore(SYSTEM))

    def store_of(self, _: Declaration) -> RecordStore:
        return self.store

    def name_of(self, _: Declaration) -> str:
        return "memory"

    def relational(self) -> Relational | None:
        return None

    def control(self) -> RecordStore:
        return self.store


@pytest.fixture
def places() -> Memory:
    return Memory()


@pytest.fixture
def samples(places: Memory) -> Repository[Sample]:
    return Repository(Sample, places.store, at="memory")


@pytest.fixture
def facts(places: Memory) -> Repository[Fact]:
    return Repository(Fact, places.store, at="memory")
