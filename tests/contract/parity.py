"""What two stores of records are asked so that they can be compared: strategies, and a machine.

Memory is the model. Compared are results with their types, and the classes of errors; not messages,
nor the write ids that stores keep.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rightstore.adapters.memory.records import MemoryStore
from rightstore.clock import SYSTEM
from rightstore.errors import RightstoreError
from rightstore.ids import new_id
from rightstore.model.condition import Condition
from rightstore.model.edit import Edit
from rightstore.model.group import is_grouped
from rightstore.model.measure import count as counted
from rightstore.model.record import to_stored
from rightstore.ports.records import Change, Delete, Find, Put, RecordStore, Seen, Stored, Write
from rightstore.testing.contract.sample import SAMPLE, Sample, Side, sorted_by

FREE: Any = Sample.free
KEYS = ("a", "B", "ä", "a b", "0", "~")
WORDS = ("", "a", "A", "ab", "ä", "%", "_", "$a", "a.b", "\\", "'", "€", "𝄞")
MOMENTS = tuple(datetime(2026, 1, day, 12, 0, 0, day * 1000, tzinfo=UTC) for day in (1, 2, 31))

texts = st.sampled_from(WORDS)
ranks = st.none() | st.integers(-2, 3)
numbers = st.sampled_from([0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), 1.0, 0.5, 1e300, -1.5])
prices = st.sampled_from(["0", "1.10", "1.1", "-3", "99999999999999999999.01"]).map(Decimal)
scalars = st.none() | st.booleans() | numbers | texts
frees = st.dictionaries(
    texts,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=4,
    ),
    max_size=3,
)
sides = st.builds(Side, width=st.integers(-1, 2), note=st.none() | texts)
fields = st.fixed_dictionaries(
    {
        "rank": ranks,
        "in_stock": st.sampled_from([0, 1, 5, 2**63 - 1]),
        "price": st.none() | prices,
        "made_at": st.none() | st.sampled_from(MOMENTS),
        "tags": st.lists(texts, max_size=3),
        "side": st.none() | sides,
        "sides": st.lists(sides, max_size=2),
        "free": frees,
    }
)
paths = st.sampled_from([FREE["a"], FREE["ab"], FREE["a"]["a"], FREE["ä"]])
comparisons: st.SearchStrategy[Condition] = st.one_of(
    st.builds(lambda v: Sample.rank == v, ranks),
    st.builds(lambda v: Sample.rank >= v, st.integers(-2, 3)),
    st.builds(lambda v: Sample.rank < v, st.integers(-2, 3)),
    st.builds(lambda v: Sample.price <= v, prices),
    st.builds(lambda v: Sample.price != v, prices),
    st.builds(lambda v: Sample.made_at > v, st.sampled_from(MOMENTS)),
    st.builds(Sample.tags.has, texts),
    st.builds(Sample.rank.one_of, st.lists(st.integers(-2, 3), max_size=3)),
    st.builds(lambda v: Sample.sides.any(Side.width == v), st.integers(-1, 2)),
    st.builds(
        lambda v: Sample.sides.any((Side.width > v) & Side.note.exists()), st.integers(-1, 2)
    ),
    st.sampled_from([Sample.side.exists(), Sample.price.exists(), Sample.side.note.exists()]),
    st.builds(Sample.side.note.starts_with, texts),
    st.builds(lambda p, v: p == v, paths, scalars),
    st.builds(lambda p, v: p != v, paths, scalars),
    st.builds(lambda p, v: p > v, paths, numbers | texts),
    st.builds(lambda p: p.exists(), paths),
    st.builds(lambda p, v: p.has(v), paths, numbers | texts | st.booleans()),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=4,
)
edits: st.SearchStrategy[list[Edit]] = st.lists(
    st.one_of(
        st.builds(Sample.in_stock.add, st.sampled_from([1, -1, 2**62])),
        st.builds(Sample.rank.set, ranks),
        st.builds(Sample.price.set, st.none() | prices),
        st.builds(Sample.tags.push, texts, keep=st.none() | st.integers(1, 2)),
        st.builds(Sample.side.width.set, st.integers(-1, 2)),
        st.builds(Sample.side.set, st.none() | sides),
        st.builds(FREE["a"].set, scalars | frees),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda edit: edit.place.steps[0],
)
expects = st.sampled_from([0, 1, 2, 3, "any", "any"])
GROUPS = (
    (counted(), Sample.in_stock.max()),
    (Sample.rank, counted(), Sample.price.sum(), Sample.price.min()),
    (Sample.made_at.day(), counted()),
    (Sample.side.width, Sample.made_at.max(), Sample.price.avg()),
)
COLUMNS = ((Sample.rank, Sample.price), (Sample.side.note, Sample.made_at), (Sample.tags,))


def plain(value: Any, *, is_free: bool = False) -> Any:
    """Return a value with the types of everything in it, so that 1, 1.0 and True differ.

    Free-form dictionaries keep the order of their keys; that of fields is the store's own.
    """
    if isinstance(value, Stored):
        return value.version, value.schema, plain(value.data)
    if isinstance(value, dict):
        items = value.items() if is_free else sorted(value.items())
        return [(key, plain(inner, is_free=is_free or key == "free")) for key, inner in items]
    if isinstance(value, list | tuple):
        return [plain(inner, is_free=is_free) for inner in value]
    if isinstance(value, RightstoreError):
        return type(value).__name__
    if isinstance(value, Decimal):
        return "Decimal", value.normalize()
    return type(value).__name__, value


class Twins(RuleBasedStateMachine):
    """Memory and another store, to which the same is done."""

    runner: ClassVar[asyncio.Runner]
    store: ClassVar[RecordStore]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.model = MemoryStore(SYSTEM)
        self.room = new_id()

    def both(self, act: Callable[[RecordStore], Awaitable[Any]]) -> None:
        """Do it to both; what comes of it must be the same."""
        type(self).steps += 1
        expected = self.runner.run(tried(act, self.model))
        found = self.runner.run(tried(act, self.store))
        assert plain(found) == plain(expected)


class Parity(Twins):
    """Asks about samples, and finds any difference."""

    def key(self, name: str) -> str:
        return f"{self.room}{name}"

    def data(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        return to_stored(Sample(id=self.key(name), room=self.room, **given))

    @rule(name=st.sampled_from(KEYS), given=fields, expect=expects)
    def put(self, name: str, given: dict[str, Any], expect: Any) -> None:
        write = Put(self.key(name), self.data(name, given), expect)
        self.both(lambda store: store.records(SAMPLE).put(write))

    @rule(given=st.dictionaries(st.sampled_from(KEYS), fields, max_size=4), expect=expects)
    def put_many(self, given: dict[str, dict[str, Any]], expect: Any) -> None:
        writes = [Put(self.key(n), self.data(n, one), expect) for n, one in given.items()]
        self.both(lambda store: store.records(SAMPLE).put_many(writes))

    @rule(
        name=st.sampled_from(KEYS),
        changes=edits,
        when=st.none() | conditions,
        other=st.none() | fields,
    )
    def change(self, name: str, changes: Any, when: Any, other: dict[str, Any] | None) -> None:
        made = None if other is None else self.data(name, other)
        write = Change(self.key(name), tuple(changes), when, made)
        self.both(lambda store: store.records(SAMPLE).change(write))

    @rule(name=st.sampled_from(KEYS), expect=expects)
    def delete(self, name: str, expect: Any) -> None:
        self.both(lambda store: store.records(SAMPLE).delete(Delete(self.key(name), expect or 1)))

    @rule(names=st.lists(st.sampled_from(KEYS), max_size=5))
    def get_many(self, names: list[str]) -> None:
        keys = [self.key(name) for name in names]
        self.both(lambda store: store.records(SAMPLE).get_many(keys))

    @rule(
        ways=st.dictionaries(
            st.sampled_from(KEYS),
            st.tuples(st.sampled_from(["put", "change", "delete", "see"]), fields, edits, expects),
            min_size=1,
            max_size=3,
        )
    )
    def write(self, ways: dict[str, tuple[str, dict[str, Any], Any, Any]]) -> None:
        batch = [(SAMPLE, self.made(name, way)) for name, way in ways.items()]
        self.both(lambda store: store.write(batch))

    def made(self, name: str, way: tuple[str, dict[str, Any], Any, Any]) -> Write:
        key, (kind, given, changes, expect) = self.key(name), way
        if kind == "put":
            return Put(key, self.data(name, given), expect)
        if kind == "change":
            return Change(key, tuple(changes), or_create=self.data(name, given))
        return Delete(key) if kind == "delete" else Seen(key, 0 if expect == "any" else expect)

    @rule(
        where=st.none() | conditions,
        down=st.booleans(),
        limit=st.none() | st.integers(1, 3),
    )
    def find(self, where: Condition | None, down: bool, limit: int | None) -> None:
        order = Sample.rank.desc() if down else Sample.rank.asc()
        what = Find(self.inside(where), sorted_by(order), limit)
        self.both(lambda store: store.queries(SAMPLE).find(what))

    @rule(where=st.none() | conditions)
    def count(self, where: Condition | None) -> None:
        self.both(lambda store: store.queries(SAMPLE).count(self.inside(where)))

    @rule(
        where=st.none() | conditions,
        columns=st.sampled_from((*COLUMNS, *GROUPS)),
    )
    def select(self, where: Condition | None, columns: Any) -> None:
        if is_grouped(columns) and "aggregate" not in self.store.capabilities:
            return
        what = Find(self.inside(where), sorted_by(Sample.rank.asc()))
        self.both(lambda store: store.queries(SAMPLE).select(what, columns))

    @invariant()
    def all_is_equal(self) -> None:
        what = Find(Sample.room == self.room, sorted_by(Sample.rank.asc()))
        self.both(lambda store: store.queries(SAMPLE).find(what))
        type(self).steps -= 1

    def inside(self, where: Condition | None) -> Condition:
        return Sample.room == self.room if where is None else (Sample.room == self.room) & where


async def tried(act: Callable[[RecordStore], Awaitable[Any]], store: RecordStore) -> Any:
    """Return what comes of it, an error of ours included."""
    try:
        return await act(store)
    except RightstoreError as error:
        return error
