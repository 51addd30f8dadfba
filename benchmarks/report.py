"""What was measured, as lines for people. Ratios are of this run; counters are of every run."""

from dataclasses import dataclass

from benchmarks.limit import ACCEPTED
from benchmarks.measure import Ratio
from benchmarks.meter import Counters

TITLE = (
    f"{'store':<9} {'operation':<16} {'ratio':>6}  {'middle half':<12} {'at most':>7}"
    f"  {'trips':>11} {'statements':>11} {'sent':>17} {'received':>15}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One operation on one store."""

    store: str
    operation: str
    ratio: Ratio
    ours: Counters
    raw: Counters

    def __str__(self) -> str:
        ratio, accepted = self.ratio, ACCEPTED.get(self.store, {}).get(self.operation)
        half = f"{ratio.low:.2f}-{ratio.high:.2f}"
        ours, raw = self.ours, self.raw
        return (
            f"{self.store:<9} {self.operation:<16} {ratio.median:>6.2f}  {half:<12} "
            f"{accepted or '':>7}  {_both(ours.round_trips, raw.round_trips):>11} "
            f"{_both(ours.statements, raw.statements):>11} {_both(ours.sent, raw.sent):>17} "
            f"{_both(ours.received, raw.received):>15}"
        )


def _both(ours: int, raw: int) -> str:
    return f"{ours} ({raw})"
