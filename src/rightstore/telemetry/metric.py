"""The metrics of stores and of HTTP, for Prometheus. Alarms have their own gauge in `alarm`.

Labels are bounded: names of stores and operations, templates of routes, never a path or a key.
"""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

STORE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
HTTP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

STORE_OPERATIONS = Counter(
    "rightstore_store_operations_total",
    "Operations on a store, by how they ended.",
    ["store", "operation", "outcome"],
)
STORE_SECONDS = Histogram(
    "rightstore_store_seconds",
    "Seconds that an operation on a store took.",
    ["store", "operation"],
    buckets=STORE_BUCKETS,
)
STORE_BYTES = Counter(
    "rightstore_store_bytes_total",
    "Bytes of records sent to a store and received from it.",
    ["store", "direction"],
)
HTTP_REQUESTS = Counter(
    "rightstore_http_requests_total",
    "Requests, by the status of their answer.",
    ["method", "route", "status"],
)
HTTP_SECONDS = Histogram(
    "rightstore_http_seconds",
    "Seconds from the head of a request to the end of its answer.",
    ["method", "route"],
    buckets=HTTP_BUCKETS,
)
HTTP_IN_FLIGHT = Gauge("rightstore_http_in_flight", "Requests being answered now.")


def method_label(method: str) -> str:
    """Return the method, or "other": a client may invent methods without end."""
    return method if method in METHODS else "other"


def count_request(method: str, route: str, status: str, seconds: float) -> None:
    """Count one answered request. `route` is a template or the name of an application."""
    requests, duration = _request(method, route, status)
    requests.inc()
    duration.observe(seconds)


def count_operation(store: str, operation: str, outcome: str, seconds: float) -> None:
    """Count one operation on a store."""
    operations, duration = _operation(store, operation, outcome)
    operations.inc()
    duration.observe(seconds)


def count_bytes(store: str, *, sent: int = 0, received: int = 0) -> None:
    """Count bytes of records on their way to a store and from it."""
    if sent:
        STORE_BYTES.labels(store, "sent").inc(sent)
    if received:
        STORE_BYTES.labels(store, "received").inc(received)


# Finding a child by its labels costs more than counting: the children are kept, as they are few.
@cache
def _request(method: str, route: str, status: str) -> tuple[Counter, Histogram]:
    return HTTP_REQUESTS.labels(method, route, status), HTTP_SECONDS.labels(method, route)


@cache
def _operation(store: str, operation: str, outcome: str) -> tuple[Counter, Histogram]:
    return (
        STORE_OPERATIONS.labels(store, operation, outcome),
        STORE_SECONDS.labels(store, operation),
    )
