"""An entity with a field of every kind, in parts in parts too, and what can be asked about it.

Its key has a str, an int and a UUID. `Counted` and `Marked` have a key of one int, of one UUID.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

from hypothesis import strategies as st

from rightstore.model.condition import Condition
from rightstore.model.declaration import declaration_of
from rightstore.model.edit import Edit
from rightstore.model.entity import Entity
from rightstore.model.field import Field, Maybe, field
from rightstore.model.measure import count as counted
from rightstore.model.part import Part
from rightstore.model.wish import Index


class Color(Enum):
    """Stored as text."""

    RED = "red"
    GREEN = "Green"


class Level(Enum):
    """Stored as a number."""

    LOW = -1
    HIGH = 10


class Inner(Part):
    """A part in a part."""

    size: Field[int] = field(default=0)
    day: Field[date | None] = field(default=None)
    labels: Field[list[str]] = field(default_factory=list)


class Outer(Part):
    """A part with parts in it, one of which may be absent."""

    read_at: Field[datetime | None] = field(default=None)
    inner: Maybe[Inner] = field(default=None)
    inners: Field[list[Inner]] = field(default_factory=list)
    counts: Field[dict[str, int]] = field(default_factory=dict)


class Everything(
    Entity,
    group="everything",
    key=("room", "number", "mark"),
    rename="camel",
    indexes=[Index("room", "-ratio"), Index("room", "outer.inner.size")],
):
    """All that can be declared."""

    room: Field[str]
    number: Field[int]
    mark: Field[UUID]
    is_open: Field[bool] = field(default=False)
    sure: Field[bool | None] = field(default=None)
    ratio: Field[float | None] = field(default=None)
    amount: Field[Decimal] = field(default=Decimal(0))
    born_on: Field[date | None] = field(default=None)
    seen_at: Field[datetime | None] = field(default=None)
    other: Field[UUID | None] = field(default=None)
    color: Field[Color | None] = field(default=None)
    level: Field[Level] = field(default=Level.LOW)
    state: Field[Literal["new", "Old"] | None] = field(default=None, stored_as="select")
    step: Field[Literal[1, 2]] = field(default=1)
    counts: Field[dict[str, int]] = field(default_factory=dict)
    prices: Field[dict[str, Decimal]] = field(default_factory=dict)
    words: Field[tuple[str, ...]] = field(default=())
    days: Field[list[date]] = field(default_factory=list)
    moments: Field[list[datetime]] = field(default_factory=list)
    marks: Field[list[UUID]] = field(default_factory=list)
    amounts: Field[list[Decimal]] = field(default_factory=list)
    ratios: Field[list[float]] = field(default_factory=list)
    flags: Field[list[bool]] = field(default_factory=list)
    colors: Field[list[Color]] = field(default_factory=list)
    levels: Field[list[Level | None]] = field(default_factory=list)
    grid: Field[list[list[int]]] = field(default_factory=list)
    outer: Maybe[Outer] = field(default=None)
    outers: Field[list[Outer]] = field(default_factory=list)
    free: Field[Any] = field(default=None)


class Counted(Entity, group="everything", indexes=[Index("room")]):
    """Its key is a number."""

    id: Field[int]
    room: Field[str]


class Marked(Entity, group="everything", indexes=[Index("room")]):
    """Its key is a UUID."""

    id: Field[UUID]
    room: Field[str]


EVERYTHING = declaration_of(Everything)
COUNTED, MARKED = declaration_of(Counted), declaration_of(Marked)
FREE: Any = Everything.free
OUTER: Any = Everything.outer
# Asked more freely than types allow: what runs must not depend on a checker.
ALL: Any = Everything

NUMBERS = (-(2**63), -100, -99, -1, 0, 1, 9, 10, 2**63 - 1)
MARKS = tuple(
    UUID(text * 4) for text in ("00000000", "0000000a", "7fffffff", "80000000", "ffffffff")
)
WORDS = ("", "a", "A", "ä", "a.b", "$a", "'", "€", "𝄞", "red", "\ue000")
# None nearer to 0 than these: the embedded document server sorts 1e-300 as it likes.
RATIOS = (-1e300, -1.5, -1e-100, 0.0, 0.1, 0.5, 1.0, 1e16, 123456789.123, 1e300)
AMOUNTS = tuple(map(Decimal, ("-3", "0", "0.00", "1", "1.10", "1E+3", "1e-9", "9" * 34)))
DAYS = (date(1, 1, 1), date(2026, 1, 31), date(2026, 2, 1), date(9999, 12, 31))
MOMENTS = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2026, 1, 31, 23, tzinfo=UTC),
    datetime(2026, 1, 31, 23, 0, 0, 10_000, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
)

numbers, marks, words = st.sampled_from(NUMBERS), st.sampled_from(MARKS), st.sampled_from(WORDS)
ratios, amounts = st.sampled_from(RATIOS), st.sampled_from(AMOUNTS)
days, moments = st.sampled_from(DAYS), st.sampled_from(MOMENTS)
colors, levels = st.sampled_from(Color), st.sampled_from(Level)
sizes = st.integers(-1, 2)
keys = st.sampled_from(["a", "B", "ä", "0"])
LARGE = (
    0.5,
    1.0,
    -1e300,
    1e22,
    2**62,
    2.0**62,
    -(2**63),
    -(2.0**63),
    2**63 - 1,
    2.0**63,
    10**16,
    1e16,
)
scalars = st.none() | st.booleans() | sizes | st.sampled_from(LARGE) | words
frees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


def some(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Return short lists."""
    return st.lists(of, max_size=2)


inners = st.builds(Inner, size=sizes, day=st.none() | days, labels=some(words))
outers = st.builds(
    Outer,
    read_at=st.none() | moments,
    inner=st.none() | inners,
    inners=some(inners),
    counts=st.dictionaries(keys, sizes, max_size=2),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "is_open": st.booleans(),
    "sure": st.none() | st.booleans(),
    "ratio": st.none() | ratios,
    "amount": amounts,
    "born_on": st.none() | days,
    "seen_at": st.none() | moments,
    "other": st.none() | marks,
    "color": st.none() | colors,
    "level": levels,
    "state": st.sampled_from([None, "new", "Old"]),
    "step": st.sampled_from([1, 2]),
    "counts": st.dictionaries(keys, numbers, max_size=2),
    "prices": st.dictionaries(keys, amounts, max_size=2),
    "words": some(words).map(tuple),
    "days": some(days),
    "moments": some(moments),
    "marks": some(marks),
    "amounts": some(amounts),
    "ratios": some(ratios),
    "flags": some(st.booleans()),
    "colors": some(colors),
    "levels": some(st.none() | levels),
    "grid": some(some(sizes)),
    "outer": st.none() | outers,
    "outers": some(outers),
    "free": frees,
}
# Half of the fields keep their defaults, so that they are equal more often.
fields = st.fixed_dictionaries({}, optional=VALUES)
names = st.tuples(numbers, marks)

# Every place of a single value that can be compared, and values for it.
PLACES: tuple[tuple[Any, st.SearchStrategy[Any]], ...] = (
    (Everything.number, numbers),
    (Everything.mark, marks),
    (Everything.ratio, ratios),
    (Everything.amount, amounts | sizes),
    (Everything.born_on, days),
    (Everything.seen_at, moments),
    (Everything.other, marks),
    (Everything.color, colors),
    (Everything.level, levels),
    (Everything.state, st.sampled_from(["new", "Old"])),
    (Everything.step, st.sampled_from([1, 2])),
    (Everything.counts["a"], numbers),
    (Everything.counts["0"], numbers),
    (Everything.prices["ä"], amounts),
    (OUTER.read_at, moments),
    (OUTER.inner.size, sizes),
    (OUTER.inner.day, days),
    (OUTER.counts["B"], sizes),
)
LISTS: tuple[tuple[Any, st.SearchStrategy[Any]], ...] = (
    (Everything.words, words),
    (Everything.days, days),
    (Everything.moments, moments),
    (Everything.marks, marks),
    (Everything.amounts, amounts),
    (Everything.ratios, ratios),
    (Everything.flags, st.booleans()),
    (Everything.colors, colors),
    (Everything.levels, st.none() | levels),
    (OUTER.inner.labels, words),
    (FREE["a"], scalars),
)


def questions() -> Iterator[st.SearchStrategy[Condition]]:
    """Yield strategies of conditions, each about one place."""
    for place, values in PLACES:
        yield st.builds(lambda v, p=place: p == v, st.none() | values)
        yield st.builds(lambda v, p=place: p != v, st.none() | values)
        yield st.builds(lambda v, p=place: p < v, values)
        yield st.builds(lambda v, p=place: p >= v, values)
        yield st.builds(place.one_of, st.lists(st.none() | values, max_size=3))
        yield st.just(place.exists())
    for place, values in LISTS:
        yield st.builds(place.has, values)
    for flag in (ALL.is_open, ALL.sure):
        yield st.sampled_from([flag.holds(), ~flag, flag == False, flag != True, flag == None])  # noqa: E711, E712 - it asks
    for text in (ALL.color, ALL.state):
        yield st.builds(text.starts_with, words)
    for path in (FREE["a"], FREE["a"]["a"], FREE["ä"]["0"]):
        yield st.builds(lambda v, p=path: p == v, scalars)
        yield st.builds(lambda v, p=path: p <= v, sizes | words | st.sampled_from(LARGE))
        yield st.builds(path.one_of, st.lists(scalars, max_size=4))
        yield st.just(path.exists())
    for whole in (OUTER, OUTER.inner, Everything.outers, Everything.grid, Everything.counts, FREE):
        yield st.just(whole.exists())
    yield from _inside()


def _inside() -> Iterator[st.SearchStrategy[Condition]]:
    """Yield conditions about parts in lists, and in lists in these."""
    outer: Any = Outer.inner
    yield st.builds(lambda v: Everything.outers.any(Outer.read_at >= v), moments)
    yield st.builds(lambda v: Everything.outers.any(~(outer.size == v)), sizes)
    yield st.builds(lambda v: Everything.outers.any(outer.labels.has(v)), words)
    yield st.builds(lambda v: Everything.outers.any(Outer.counts["a"] == v), sizes)
    yield st.builds(
        lambda v, w: Everything.outers.any(
            Outer.inners.any((Inner.size == v) & ~Inner.labels.has(w)) & outer.exists()
        ),
        sizes,
        words,
    )
    yield st.builds(lambda v: OUTER.inners.any((Inner.day < v) | (Inner.size > 0)), days)


conditions: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(*questions()),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=4,
)
edits: st.SearchStrategy[list[Edit]] = st.lists(
    st.one_of(
        *(
            st.builds(getattr(Everything, name).set, values)
            for name, values in VALUES.items()
            if name != "prices"
        ),
        st.builds(Everything.amount.add, amounts),
        st.builds(ALL.ratio.add, st.sampled_from([0.1, -0.5, 1e300])),
        st.builds(Everything.counts["a"].add, st.sampled_from([1, -1, 2**63 - 1])),
        st.builds(Everything.prices["ä"].add, amounts),
        st.builds(OUTER.inner.size.add, sizes),
        st.builds(OUTER.inner.set, st.none() | inners),
        st.builds(OUTER.inners.push, inners, keep=st.none() | st.just(1)),
        st.builds(OUTER.counts["B"].set, sizes),
        st.builds(Everything.days.push, days, keep=st.none() | st.just(2)),
        st.builds(Everything.amounts.push, amounts),
        st.builds(ALL.words.push, words, keep=st.none() | st.just(1)),
        st.builds(FREE["a"].set, frees),
        st.builds(FREE["ä"]["0"].set, frees),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda edit: edit.place.steps[0],
)
ORDERS = tuple(
    order
    for place in (
        Everything.number,
        Everything.mark,
        Everything.is_open,
        Everything.sure,
        Everything.ratio,
        Everything.amount,
        Everything.born_on,
        Everything.seen_at,
        Everything.other,
        Everything.color,
        Everything.level,
        Everything.counts["a"],
        OUTER.read_at,
        OUTER.inner.size,
        OUTER.inner.day,
    )
    for order in (place.asc(), place.desc())
)
orders_asked = st.lists(
    st.sampled_from(ORDERS), max_size=3, unique_by=lambda order: str(order.place)
)
COLUMNS: tuple[tuple[Any, ...], ...] = (
    (Everything.number, Everything.mark, Everything.color, Everything.level, Everything.state),
    (Everything.sure, Everything.ratio, Everything.amount, Everything.born_on, Everything.other),
    (Everything.words, Everything.days, Everything.moments, Everything.marks, Everything.amounts),
    (Everything.ratios, Everything.flags, Everything.colors, Everything.levels, Everything.grid),
    (Everything.outers, OUTER.inners, OUTER.inner.labels, Everything.counts["a"], FREE),
    (OUTER.read_at.day(), OUTER.read_at.hour(), OUTER.read_at.month()),
    (FREE["a"], FREE["ä"]["0"], Everything.prices),
)
GROUPS: tuple[tuple[Any, ...], ...] = (
    (Everything.color, counted(), Everything.ratio.min(), Everything.born_on.max()),
    (Everything.level, Everything.amount.sum(), Everything.amount.avg(), Everything.other.min()),
    (Everything.is_open, Everything.sure, counted(), Everything.seen_at.min()),
    (Everything.ratio, Everything.state, counted(), Everything.mark.max()),
    (Everything.born_on, OUTER.inner.size.sum(), OUTER.inner.size.avg()),
    (Everything.other, Everything.step.min(), Everything.number.max(), Everything.color.max()),
    (Everything.seen_at.month(), OUTER.read_at.hour(), counted()),
    (Everything.amount, Everything.counts["a"].max(), OUTER.inner.day.min()),
    (Everything.number, Everything.mark, counted()),
    (OUTER.inner.day, Everything.ratio.max(), counted()),
)
