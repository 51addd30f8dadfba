"""A small checker of histories of lists that transactions append to, after Elle.

Each value is appended once, so a list that was read tells which transactions it was made by, and in
which order. It finds what snapshot isolation forbids; write skew, which it allows, is not looked
for. It cannot catch what no read has seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

Edges = dict[int, set[int]]


@dataclass(frozen=True, slots=True)
class Append:
    """A value was added at the end of the list of a key."""

    key: int
    value: int


@dataclass(frozen=True, slots=True)
class Read:
    """The list of a key was this."""

    key: int
    values: tuple[int, ...]


@dataclass(slots=True)
class Transaction:
    """What one transaction did, in order, and what it was told at the end."""

    number: int
    did: list[Append | Read] = field(default_factory=list)
    end: Literal["ok", "fail", "unknown"] = "unknown"

    def appends(self, key: int) -> list[int]:
        """Return what it appended to a key."""
        return [one.value for one in self.did if isinstance(one, Append) and one.key == key]


def anomalies(history: Sequence[Transaction], final: Mapping[int, tuple[int, ...]]) -> list[str]:
    """Return what of this history no snapshot isolation allows; `final` is what is there now."""
    writer = {
        one.value: transaction
        for transaction in history
        for one in transaction.did
        if isinstance(one, Append)
    }
    kept = [each for each in history if each.end == "ok"]
    found = [*_lost(history, final)]
    for transaction in kept:
        found += _internal(transaction)
        found += _reads(transaction, writer, final)
    return found or [*_cycles(kept, final, writer)]


def _lost(history: Sequence[Transaction], final: Mapping[int, tuple[int, ...]]) -> Iterator[str]:
    for transaction in history:
        for one in transaction.did:
            if not isinstance(one, Append):
                continue
            is_there = one.value in final[one.key]
            if transaction.end == "ok" and not is_there:
                yield f"lost update: {one.value} of {transaction.number} is nowhere"
            if transaction.end == "fail" and is_there:
                yield f"dirty write: {one.value} of {transaction.number}, which failed, is there"


def _internal(transaction: Transaction) -> Iterator[str]:
    """Yield reads that differ from what the transaction itself had seen and done before."""
    known: dict[int, tuple[int, ...]] = {}
    for one in transaction.did:
        if isinstance(one, Append):
            if one.key in known:
                known[one.key] += (one.value,)
        elif known.setdefault(one.key, one.values) != one.values:
            yield f"non-repeatable read: of {one.key} by {transaction.number}"


def _reads(
    transaction: Transaction,
    writer: Mapping[int, Transaction],
    final: Mapping[int, tuple[int, ...]],
) -> Iterator[str]:
    for one in transaction.did:
        if not isinstance(one, Read):
            continue
        foreign = [value for value in one.values if writer[value] is not transaction]
        if any(writer[value].end == "fail" for value in foreign):
            yield f"G1a aborted read: of {one.key} by {transaction.number}"
        if foreign and foreign[-1] != writer[foreign[-1]].appends(one.key)[-1]:
            yield f"G1b intermediate read: of {one.key} by {transaction.number}"
        if one.values != final[one.key][: len(one.values)]:
            yield f"incompatible order: of {one.key} by {transaction.number}"


def _cycles(
    kept: Sequence[Transaction],
    final: Mapping[int, tuple[int, ...]],
    writer: Mapping[int, Transaction],
) -> Iterator[str]:
    ww, wr, rw = _edges(kept, final, writer)
    both = {start: ww.get(start, set()) | wr.get(start, set()) for start in ww | wr}
    for name, edges, first in (
        ("G0 dirty write", ww, ww),
        ("G1c circular information flow", both, both),
        ("G-single read skew", both, rw),
    ):
        for start, ends in first.items():
            if any(start in _reachable(edges, end) for end in ends):
                yield f"{name}: through {start}"


def _edges(
    kept: Sequence[Transaction],
    final: Mapping[int, tuple[int, ...]],
    writer: Mapping[int, Transaction],
) -> tuple[Edges, Edges, Edges]:
    """Return who wrote after whom, who read what whom wrote, and who wrote after whom had read."""
    ww: Edges = {}
    wr: Edges = {}
    rw: Edges = {}
    for values in final.values():
        for before, after in pairwise(values):
            _add(ww, writer[before].number, writer[after].number)
    reads = [(each.number, one) for each in kept for one in each.did if isinstance(one, Read)]
    for number, read in reads:
        for last in read.values[-1:]:
            _add(wr, writer[last].number, number)
        for unseen in final[read.key][len(read.values) :][:1]:
            _add(rw, number, writer[unseen].number)
    return ww, wr, rw


def _add(edges: Edges, start: int, end: int) -> None:
    if start != end:
        edges.setdefault(start, set()).add(end)


def _reachable(edges: Edges, start: int) -> set[int]:
    seen, left = {start}, [start]
    while left:
        for end in edges.get(left.pop(), set()) - seen:
            seen.add(end)
            left.append(end)
    return seen
