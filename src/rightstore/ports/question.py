"""What every store of search does alike with a question and its answer. It asks no store.

It judges what is asked and indexed, says what comes after a position, cuts pages, makes cursors.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, get_args

from rightstore.errors import ConstraintError, InvalidQueryError, UnsupportedError, UsageError
from rightstore.model.condition import Compare, Condition, Exists, Matches, OneOf
from rightstore.model.cursor import decode_cursor, encode_cursor
from rightstore.model.declaration import Declaration
from rightstore.model.evaluate import position, value_at
from rightstore.model.kind import NUMERIC, Kind
from rightstore.model.measure import Unit
from rightstore.model.order import Order
from rightstore.model.place import Place
from rightstore.model.tree import leaves
from rightstore.model.word import marked, words
from rightstore.ports.search import (
    MAX_BUCKETS,
    MAX_COUNTED,
    MAX_PARTS,
    MAX_QUERY,
    MAX_RELEVANT,
    MAX_SIZE,
    MAX_TERMS,
    MAX_TEXT,
    Ask,
    Document,
    Facet,
    Histogram,
    Hit,
    Position,
    SearchCapability,
)

_UNITS = get_args(Unit)


def judge_ask(
    declaration: Declaration, ask: Ask, capabilities: frozenset[SearchCapability]
) -> None:
    """Raise what is wrong with a question, before a store sees it."""
    searched(declaration)
    limits = (
        (0 <= ask.size <= MAX_SIZE, f"a page has 0 to {MAX_SIZE} hits"),
        (len(ask.text) <= MAX_QUERY, f"a text to find has up to {MAX_QUERY} characters"),
        (len(ask.terms) <= MAX_TERMS, f"a text to find has up to {MAX_TERMS} words"),
        (len(ask.facets) + len(ask.histograms) <= MAX_PARTS, f"ask for up to {MAX_PARTS} counts"),
    )
    for is_kept, limit in limits:
        if not is_kept:
            raise InvalidQueryError(f"{declaration.name}: {limit}.")
    if ask.typos and "typos" not in capabilities:
        raise UnsupportedError(
            f"{declaration.name}: this store does not forgive typos: ask without, or search in one "
            "that does."
        )
    if ask.where is not None and any(isinstance(leaf, Matches) for leaf in leaves(ask.where)):
        raise InvalidQueryError(f"{declaration.name}: put the words of matches into the text.")
    for facet in ask.facets:
        _judge_facet(declaration, facet)
    for histogram in ask.histograms:
        _judge_histogram(histogram)
    _judge_after(declaration, ask)


def _judge_facet(declaration: Declaration, facet: Facet) -> None:
    if ".".join(facet.place.steps) not in searched(declaration):
        raise InvalidQueryError(f"{facet.place} is no facet: name it in Search(facets=[…]).")
    if not 1 <= facet.limit <= MAX_BUCKETS:
        raise InvalidQueryError(f"{facet.place}: a facet shows 1 to {MAX_BUCKETS} values.")


def _judge_histogram(histogram: Histogram) -> None:
    tag, step = histogram.place.kind.tag, histogram.step
    if tag == "datetime":
        is_right = step in _UNITS
    else:
        is_right = tag in NUMERIC and type(step) is int and 1 <= step <= MAX_COUNTED
    if not is_right:
        raise InvalidQueryError(
            f"{histogram.place} is {histogram.place.kind}: a histogram takes whole steps of a "
            f"number, or {', '.join(_UNITS)} of a moment."
        )


def _judge_after(declaration: Declaration, ask: Ask) -> None:
    if ask.after is None:
        return
    if len(ask.after) != (len(ask.orders) or 1) or ask.offset < 0:
        raise InvalidQueryError(f"{declaration.name}: this position is of another query.")
    if ask.offset >= MAX_RELEVANT:
        raise InvalidQueryError(
            f"{declaration.name}: by relevance only the first {MAX_RELEVANT} hits have pages: sort "
            "by fields, or narrow the question."
        )


def judge_documents(declaration: Declaration, documents: Sequence[Document]) -> None:
    """Raise UsageError for what must not come in one call."""
    searched(declaration)
    if len({document.key for document in documents}) < len(documents):
        raise UsageError(f"{declaration.name}: a key comes twice: index its newest version only.")
    if any(document.version < 1 for document in documents):
        raise UsageError(f"{declaration.name}: a document has a version from 1 on.")


def searched(declaration: Declaration) -> frozenset[str]:
    """Return the facets of an entity; UsageError unless it is searched at all."""
    if declaration.search is None:
        raise UsageError(f"{declaration.name} is not searched: declare search=Search(…).")
    return frozenset(declaration.search.facets)


@dataclass(frozen=True, slots=True)
class Text:
    """One searched field: where it is, and its weight."""

    path: str
    place: Place
    weight: int

    def of(self, data: Mapping[str, Any]) -> str:
        """Return its text in a document; of a list, one text a line."""
        value: Any = value_at(data, self.place)
        items: list[Any] = [value] if isinstance(value, str) else value or []
        return "\n".join(item for item in items if isinstance(item, str))


def texts(declaration: Declaration) -> tuple[Text, ...]:
    """Return the searched fields."""
    weights = declaration.search.weights if declaration.search else ()
    return tuple(Text(path, declaration.place(path), weight) for path, weight in weights)


def suggested(declaration: Declaration) -> Text:
    """Return the field whose values are suggested: the first of the heaviest single texts."""
    searched(declaration)
    single = [text for text in texts(declaration) if text.place.kind.tag == "str"]
    if not single:
        raise UnsupportedError(f"{declaration.name}: only a single text is suggested, not a list.")
    return max(single, key=lambda text: text.weight)


def refusal(declaration: Declaration, document: Document) -> ConstraintError | None:
    """Return why no store takes this document; None when they do."""
    data = document.data or {}
    found = (word for text in texts(declaration) for word in words(text.of(data)))
    if sum(len(word.encode()) for word in found) <= MAX_TEXT:
        return None
    return ConstraintError(
        f"{declaration.name}: a document has up to {MAX_TEXT} bytes of searched text: search a "
        "shorter field."
    )


def follows(orders: Sequence[Order], after: Sequence[Any]) -> Iterator[tuple[Condition, ...]]:
    """Yield alternatives, one of which holds (all of it) of what comes after a position."""
    same: tuple[Condition, ...] = ()
    for order, value in zip(orders, after, strict=True):
        yield from ((*same, beyond) for beyond in _beyond(order, value))
        same = (*same, Compare(order.place, "==", value))


def _beyond(order: Order, value: Any) -> Iterator[Condition]:
    if value is None:
        if not order.descending:
            yield Exists(order.place)
        return
    if order.place.kind.tag == "bool":
        # A flag has no order in a question.
        yield OneOf(order.place, () if value is not order.descending else (not value,))
    else:
        yield Compare(order.place, "<" if order.descending else ">", value)
    if order.descending:
        yield Compare(order.place, "==", None)


def page(declaration: Declaration, ask: Ask, found: Iterable[Document]) -> Mapping[str, Any]:
    """Return `items` and `next` of Hits from what was fetched: the page and one more, if any."""
    fetched = list(found)
    items = tuple(_hit(declaration, ask, document) for document in fetched[: ask.limit])
    after: Position | None = None
    if len(fetched) > ask.limit and items:
        last = items[-1].data
        after = position(last, ask.orders) if ask.orders else (ask.offset + len(items),)
    return {"items": items, "next": after}


def _hit(declaration: Declaration, ask: Ask, document: Document) -> Hit:
    data = document.data or {}
    marks = {}
    if ask.highlight:
        pieces = {text.path: marked(text.of(data), ask.terms) for text in texts(declaration)}
        marks = {path: piece for path, piece in pieces.items() if piece is not None}
    return Hit(document.key, document.version, data, marks)


def check_buckets(histogram: Histogram, count: int) -> None:
    """Refuse a histogram that is too fine to show."""
    if count > MAX_BUCKETS:
        raise InvalidQueryError(
            f"{histogram.place}: more than {MAX_BUCKETS} buckets: take a wider step."
        )


def bucket_start(unit: Unit, moment: datetime) -> date | datetime:
    """Return where a bucket begins: hours are moments, days and months dates, as in `select`."""
    return moment if unit == "hour" else moment.date()


def encode_position(declaration: Declaration, ask: Ask, after: Position) -> str:
    """Return the cursor of a `next`; it belongs to the question's order and form."""
    return encode_cursor(declaration, ask.where, _cursor_orders(declaration, ask), after)


def decode_position(declaration: Declaration, ask: Ask, cursor: str) -> Position:
    """Return the `after` that a cursor stands for; InvalidQueryError for every other text."""
    return decode_cursor(declaration, ask.where, _cursor_orders(declaration, ask), cursor)


def _cursor_orders(declaration: Declaration, ask: Ask) -> tuple[Order, ...]:
    relevance = Place(declaration.entity, ("relevance()",), (), Kind("int"))
    return ask.orders or (Order(relevance),)
