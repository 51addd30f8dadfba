"""The one statement of a question, and its answer from the rows: page, total and counts together.

What is put together here are quoted names, expressions of this room and parameters, never values.
"""
# ruff: noqa: S608 - see above

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rightstore.adapters.postgres.body import decoder_of, moment_from
from rightstore.adapters.postgres.expression import (
    Parameters,
    Scope,
    json_at,
    typed,
    value_at,
)
from rightstore.adapters.postgres.position import after, levels, order_by
from rightstore.adapters.postgres.predicate import condition
from rightstore.adapters.postgres.search_text import class_weights, masks_of, others_of, query_of
from rightstore.adapters.postgres.table import Statement
from rightstore.model.declaration import Declaration
from rightstore.model.kind import Tag
from rightstore.model.measure import Unit
from rightstore.model.place import Place
from rightstore.model.word import Term
from rightstore.ports.question import Text, bucket_start, check_buckets, page
from rightstore.ports.search import (
    MAX_BUCKETS,
    MAX_COUNTED,
    Ask,
    Document,
    Facet,
    Histogram,
    Hits,
    Tally,
)

_TOTAL, _PAGE, _COUNTS = 0, 1, 2
# How much of a moment's text is its bucket, and what makes it a whole moment again.
_BUCKETS: Mapping[Unit, tuple[int, str]] = {
    "hour": (13, ":00:00"),
    "day": (10, "T00:00:00"),
    "month": (7, "-01T00:00:00"),
}
_FROM_TEXT: Mapping[Tag, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: text == "true",
    "decimal": Decimal,
    "datetime": lambda text: moment_from(text).replace(tzinfo=UTC),
    "date": date.fromisoformat,
    "uuid": UUID,
}


@dataclass(frozen=True, slots=True)
class Tables:
    """The quoted names of what an index is kept in: its documents, and its words for typos."""

    documents: str
    words: str


@dataclass(slots=True)
class _Question:
    """A statement as it is put together; `values` are what is counted by, looked up once."""

    scope: Scope
    tables: Tables
    values: list[str] = field(default_factory=list)

    def value(self, expression: str) -> str:
        """Look a value up with the documents that are found; return its column."""
        self.values.append(expression)
        return f"v{len(self.values) - 1}"


def statement_of(declaration: Declaration, tables: Tables, ask: Ask) -> Statement:
    """Return the statement of a question; its rows begin with the part that they belong to."""
    parameters = Parameters()
    scope = Scope(parameters)
    question = _Question(scope, tables)
    counted = [_facet(question, it) for it in ask.facets]
    counted += [_histogram(question, it) for it in ask.histograms]
    parts = [
        f"SELECT {_TOTAL}, 0::bigint, NULL::text, count(*), 0::bigint, NULL::text FROM hit",
        _page(declaration, question, ask),
        *(_counted(at, it) for at, it in enumerate(counted, _COUNTS)),
    ]
    columns = [
        "key",
        "version",
        # Bodies are copied only where all of them are sorted by.
        "body" if ask.orders else "NULL::json AS body",
        *(f"{value} AS v{at}" for at, value in enumerate(question.values)),
        f"{_score(declaration, scope, ask)} AS score",
    ]
    text = (
        f"WITH hit AS MATERIALIZED (SELECT {', '.join(columns)} FROM {tables.documents} "
        f"WHERE {' AND '.join(_wanted(question, ask))}) "
        f"SELECT * FROM ({' UNION ALL '.join(f'({part})' for part in parts)}) "
        "AS answer(part, place, value, amount, version, body) ORDER BY part, place"
    )
    return Statement(text, parameters.values)


def _wanted(question: _Question, ask: Ask) -> list[str]:
    wanted = ["NOT deleted", *(_found(question, term) for term in ask.terms)]
    if ask.text.strip() and not ask.terms:
        wanted.append("FALSE")
    if ask.where is not None:
        wanted.append(condition(question.scope, ask.where))
    return wanted


def suggestion_of(table: str, text: Text, ask: Ask) -> Statement:
    """Return the statement that counts values of one text in which the words are."""
    parameters = Parameters()
    scope = Scope(parameters)
    value = value_at(scope, text.place)
    sought = [parameters.add(query_of([term]), "tsquery") for term in ask.terms]
    wanted = ["NOT deleted", *(f"title @@ {query}" for query in sought)]
    limit = parameters.add(ask.size, "bigint")
    statement = (
        f"SELECT value FROM (SELECT {value} AS value FROM {table} "
        f"WHERE {' AND '.join(wanted)}) AS found GROUP BY value "
        f"ORDER BY count(*) DESC, value LIMIT {limit}"
    )
    return Statement(statement, parameters.values)


def hits_of(declaration: Declaration, ask: Ask, rows: Iterable[Sequence[Any]]) -> Hits:
    """Return what the rows of an answer say."""
    by_part: dict[int, list[Sequence[Any]]] = {}
    for row in rows:
        by_part.setdefault(row[0], []).append(row)
    facets = [by_part.get(at, []) for at, _ in enumerate(ask.facets, _COUNTS)]
    rest = _COUNTS + len(ask.facets)
    histograms = [by_part.get(at, []) for at, _ in enumerate(ask.histograms, rest)]
    decode = decoder_of(declaration)
    found = (
        Document(row[2], row[4], decode(row[5], declaration.schema))
        for row in by_part.get(_PAGE, [])
    )
    return Hits(
        by_part[_TOTAL][0][3],
        facets=tuple(map(_tallies, ask.facets, facets)),
        histograms=tuple(map(_bucketed, ask.histograms, histograms)),
        **page(declaration, ask, found),
    )


# Only letters and digits are in these words.
_NEAR = (
    "SELECT string_agg(' | ''' || word || '''', '') FROM {words} "
    "WHERE masks && {masks} OR word = ANY({others})"
)


def _found(question: _Question, term: Term) -> str:
    add = question.scope.arguments.add
    if not term.is_fuzzy:
        return f"words @@ {add(query_of([term]), 'tsquery')}"
    # Which words there are that are near is found out first, in the same statement.
    near = _NEAR.format(
        words=question.tables.words,
        masks=add(masks_of(term), "text[]"),
        others=add(others_of(term), "text[]"),
    )
    return f"words @@ ({add(query_of([term]), 'text')} || coalesce(({near}), ''))::tsquery"


def _score(declaration: Declaration, scope: Scope, ask: Ask) -> str:
    if ask.orders or not ask.terms:
        return "0::float4"
    weights = scope.arguments.add(class_weights(declaration), "float4[]")
    return f"ts_rank({weights}, words, {scope.arguments.add(query_of(ask.terms), 'tsquery')})"


def _page(declaration: Declaration, question: _Question, ask: Ask) -> str:
    scope, table = question.scope, question.tables.documents
    wanted, order = "TRUE", "score DESC, key"
    if ask.orders:
        found = levels(declaration, scope, ask.orders, ask.after)
        order = order_by(found)
        wanted = "TRUE" if ask.after is None else after(found)
    limit = scope.arguments.add(ask.limit + 1, "bigint")
    offset = scope.arguments.add(ask.offset, "bigint")
    body = f"SELECT there.body::text FROM {table} AS there WHERE there.key = hit.key"
    return (
        f"SELECT {_PAGE}, row_number() OVER (ORDER BY {order}), key, 0::bigint, version, ({body}) "
        f"FROM hit WHERE {wanted} ORDER BY {order} LIMIT {limit} OFFSET {offset}"
    )


def _counted(part: int, counted: str) -> str:
    return (
        f"SELECT {part}, row_number() OVER (), value::text, amount, 0::bigint, NULL::text "
        f"FROM ({counted}) AS counted"
    )


def _facet(question: _Question, facet: Facet) -> str:
    limit = question.scope.arguments.add(facet.limit, "bigint")
    return (
        f"SELECT value, count(DISTINCT key) AS amount FROM ({_values(question, facet.place)}) "
        f"AS pair WHERE value IS NOT NULL GROUP BY value ORDER BY amount DESC, value LIMIT {limit}"
    )


def _values(question: _Question, place: Place) -> str:
    """Return what gives a value, or each item of a list, a row."""
    if place.kind.tag != "list":
        return f"SELECT key, {question.value(value_at(question.scope, place))} AS value FROM hit"
    json = question.value(json_at(question.scope, place))
    items = f"CASE WHEN json_typeof({json}) = 'array' THEN {json} ELSE '[]' END"
    value = typed("(item #>> '{}')", "item", place.kind.of.tag)
    return (
        f"SELECT key, {value} AS value FROM hit "
        f"CROSS JOIN json_array_elements({items}) AS list(item)"
    )


def _histogram(question: _Question, histogram: Histogram) -> str:
    value = question.value(value_at(question.scope, histogram.place))
    if isinstance(histogram.step, int):
        step = question.scope.arguments.add(histogram.step, "bigint")
        # Through bigint: a float8 would lose its last digits as numeric.
        whole = f"CASE WHEN abs(floor({value})) <= {MAX_COUNTED} THEN floor({value})::bigint END"
        start = f"whole - ((whole % {step}) + {step}) % {step}"
        source = f"(SELECT {whole} AS whole FROM hit) AS number"
    else:
        start = f"left({value}, {_BUCKETS[histogram.step][0]})"
        source = "hit"
    return (
        f"SELECT value, count(*) AS amount FROM (SELECT {start} AS value FROM {source}) AS bucket "
        f"WHERE value IS NOT NULL GROUP BY value ORDER BY value LIMIT {MAX_BUCKETS + 1}"
    )


def _tallies(facet: Facet, rows: Sequence[Sequence[Any]]) -> tuple[Tally, ...]:
    kind = facet.place.kind
    read = _FROM_TEXT[kind.of.tag if kind.tag == "list" else kind.tag]
    return tuple(Tally(read(row[2]), row[3]) for row in rows)


def _bucketed(histogram: Histogram, rows: Sequence[Sequence[Any]]) -> tuple[Tally, ...]:
    check_buckets(histogram, len(rows))
    return tuple(Tally(_start(histogram.step, row[2]), row[3]) for row in rows)


def _start(step: int | Unit, text: str) -> Any:
    if isinstance(step, int):
        return int(text)
    moment = datetime.fromisoformat(text + _BUCKETS[step][1]).replace(tzinfo=UTC)
    return bucket_start(step, moment)
