"""What an operation may cost: the accepted ratios, and the counters of baseline.json. No I/O."""

from collections.abc import Iterator, Mapping

from benchmarks.measure import Ratio

# More bytes than this much of the baseline are too many; of the other counters each one counts.
TOLERANCE = 1.1
BYTES = frozenset({"sent", "received"})
Counts = Mapping[str, int]
# By store, operation and counter.
Baseline = Mapping[str, Mapping[str, Counts]]
_ONE, _MANY = 1.5, 2.0
# DynamoDB is reported only: its driver is slower than what is around it.
ACCEPTED: Mapping[str, Mapping[str, float]] = {
    "postgres": {"get": _ONE, "put": _ONE, "get many of 100": _MANY, "bulk of 1,000": _MANY},
    "mongodb": {"get": 1.3, "put": 1.3, "get many of 100": _MANY, "bulk of 1,000": _MANY},
}


def grown(operation: str, before: Counts, now: Counts) -> Iterator[str]:
    """Yield what costs more on the wire than the baseline allows, as a line each."""
    for counter, count in now.items():
        allowed = before[counter] * (TOLERANCE if counter in BYTES else 1)
        if count > allowed:
            words = counter.replace("_", " ")
            yield f"{operation}: {words}: {count}, the baseline has {before[counter]}"


def compared(baseline: Baseline, found: Baseline) -> list[str]:
    """Return a line for each counter that has grown, or that the baseline does not know."""
    lines: list[str] = []
    for store, operations in found.items():
        known = baseline.get(store, {})
        for operation, now in operations.items():
            name = f"{store} {operation}"
            if operation in known:
                lines += grown(name, known[operation], now)
            else:
                lines.append(f"{name}: not in the baseline: run with --update")
    return lines


def slow(store: str, operation: str, ratio: Ratio) -> str | None:
    """Return the line of an operation that takes longer than is accepted."""
    accepted = ACCEPTED.get(store, {}).get(operation)
    if accepted is None or ratio.median <= accepted:
        return None
    return f"{store} {operation}: {ratio.median:.2f} times the raw driver, accepted are {accepted}"
