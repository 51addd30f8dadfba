"""Questions as bodies of `_search`, and its answers. Words are matched, never parsed.

The position is a filter behind the counts, which are those of all pages.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rightstore import codec
from rightstore.adapters.opensearch.encoding import decoded, moment_of
from rightstore.adapters.opensearch.filter import Filter, any_of
from rightstore.adapters.opensearch.layout import Layout
from rightstore.errors import UnsupportedError
from rightstore.model.condition import And
from rightstore.model.declaration import Declaration
from rightstore.model.order import Order
from rightstore.model.place import Place
from rightstore.model.word import FUZZY_FROM, Term
from rightstore.ports.question import Text, bucket_start, check_buckets, follows, page, texts
from rightstore.ports.search import MAX_BUCKETS, Ask, Document, Facet, Histogram, Hits, Tally

Body = dict[str, Any]
LIVE: Body = {"term": {"live": True}}
# One letter from this length on, in both directions; the server counts code points as we do.
FUZZINESS = f"AUTO:{FUZZY_FROM},200"
# Below what an exact word counts for, so that it comes first.
NEAR, BEGUN = 0.5, 0.1
_TOTAL = "total"


def body_of(declaration: Declaration, layout: Layout, ask: Ask) -> Body:
    """Return the body of a question."""
    body: Body = {
        "query": {"bool": {"filter": _filters(layout, ask), "must": _words(declaration, ask)}},
        "size": ask.limit + 1,
        "from": ask.offset,
        "sort": _sort(layout, ask),
        "version": True,
        "_source": ["key", "data"],
        "aggs": {_TOTAL: {"filter": {"match_all": {}}}} | _counts(layout, ask),
    }
    if ask.orders and ask.after is not None:
        after = [And(conditions) for conditions in follows(ask.orders, ask.after)]
        body["post_filter"] = any_of([Filter(layout).query(condition) for condition in after])
    return body


def suggestion_of(layout: Layout, field: Text, ask: Ask) -> Body:
    """Return the body that counts values of one field in which the words are."""
    wanted = [_term([field], term) for term in ask.terms]
    return {
        "query": {"bool": {"filter": [LIVE, *wanted]}},
        "size": 0,
        "aggs": {"f0": _terms(_field(layout, field.place), ask.size)},
    }


def hits_of(declaration: Declaration, ask: Ask, answer: Mapping[str, Any]) -> Hits:
    """Return what an answer says."""
    counts = answer["aggregations"]
    return Hits(
        int(counts[_TOTAL]["doc_count"]),
        facets=tuple(tallies(facet.place, counts[f"f{at}"]) for at, facet in enumerate(ask.facets)),
        histograms=tuple(
            _buckets(histogram, counts[f"h{at}"]["buckets"])
            for at, histogram in enumerate(ask.histograms)
        ),
        **page(declaration, ask, _documents(answer)),
    )


def tallies(place: Place, counted: Mapping[str, Any]) -> tuple[Tally, ...]:
    """Return the values of a facet and how often each is there."""
    kind = place.kind
    tag = kind.of.tag if kind.tag == "list" else kind.tag
    return tuple(
        Tally(decoded(tag, bucket["key"]), int(bucket["doc_count"]))
        for bucket in counted["buckets"]
    )


def _documents(answer: Mapping[str, Any]) -> Iterator[Document]:
    for hit in answer["hits"]["hits"]:
        source = hit["_source"]
        data = codec.decode(source["data"].encode(), store="opensearch", operation="query")
        yield Document(source["key"], hit["_version"], data)


def _filters(layout: Layout, ask: Ask) -> list[Body]:
    return [LIVE] + ([Filter(layout).query(ask.where)] if ask.where is not None else [])


def _words(declaration: Declaration, ask: Ask) -> list[Body]:
    """Return one query a word: each must be in some field, whichever it is."""
    if not ask.text.strip():
        return []
    fields = texts(declaration)
    return [_term(fields, term) for term in ask.terms] or [any_of([])]


def _term(fields: Sequence[Text], term: Term) -> Body:
    match: Body = {
        "query": term.word,
        "fields": [f"text.{field.path}^{field.weight}" for field in fields],
        "analyzer": "whitespace",
    }
    options: list[Body] = [{"multi_match": match}]
    if term.is_fuzzy:
        # Not scored one by one: the server takes about a thousand scored words a question.
        fuzzy = {"fuzziness": FUZZINESS, "fuzzy_rewrite": "constant_score", "boost": NEAR}
        options.append({"multi_match": match | fuzzy})
    if term.is_prefix:
        options += [
            {"prefix": {f"text.{field.path}": {"value": term.word, "boost": BEGUN * field.weight}}}
            for field in fields
        ]
    return any_of(options)


def _sort(layout: Layout, ask: Ask) -> list[Body]:
    if not ask.orders:
        return [{"_score": {"order": "desc"}}, {"key": {"order": "asc"}}]
    return [_order(layout, order) for order in ask.orders]


def _order(layout: Layout, order: Order) -> Body:
    way = {"order": "desc", "missing": "_last"} if order.descending else {"missing": "_first"}
    return {_field(layout, order.place): way}


def _counts(layout: Layout, ask: Ask) -> Body:
    facets = {f"f{at}": _facet(layout, facet) for at, facet in enumerate(ask.facets)}
    return facets | {
        f"h{at}": _histogram(layout, histogram) for at, histogram in enumerate(ask.histograms)
    }


def _facet(layout: Layout, facet: Facet) -> Body:
    return _terms(_field(layout, facet.place), facet.limit)


def _terms(field: str, limit: int) -> Body:
    order = [{"_count": "desc"}, {"_key": "asc"}]
    return {"terms": {"field": field, "size": limit, "order": order}}


def _histogram(layout: Layout, histogram: Histogram) -> Body:
    """Return a histogram as a composite, which can be told how many buckets are too many."""
    _field(layout, histogram.place)
    name = ".".join(histogram.place.stored)
    if isinstance(histogram.step, int):
        source: Body = {"histogram": {"field": f"whole.{name}", "interval": histogram.step}}
    elif histogram.step == "hour":
        source = {"date_histogram": {"field": f"moment.{name}", "fixed_interval": "1h"}}
    else:
        every = {"calendar_interval": histogram.step}
        source = {"date_histogram": {"field": f"moment.{name}", **every}}
    return {"composite": {"size": MAX_BUCKETS + 1, "sources": [{"start": source}]}}


def _buckets(histogram: Histogram, found: Sequence[Mapping[str, Any]]) -> tuple[Tally, ...]:
    check_buckets(histogram, len(found))
    return tuple(
        Tally(_start(histogram, bucket["key"]["start"]), int(bucket["doc_count"]))
        for bucket in found
    )


def _start(histogram: Histogram, key: float) -> Any:
    if isinstance(histogram.step, int):
        return int(key)
    return bucket_start(histogram.step, moment_of(key))


def _field(layout: Layout, place: Place) -> str:
    name = ".".join(place.stored)
    if name not in layout.values:
        raise UnsupportedError(
            f"{place}: OpenSearch sorts and counts declared fields only: give it a field, or name "
            "it in Search(facets=[…])."
        )
    return f"value.{name}"
