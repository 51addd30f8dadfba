"""The command line: `python -m benchmarks`. What is measured and how is said elsewhere."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import uvloop

from benchmarks.contest import HANDS, Room, room
from benchmarks.frame import FRAMES
from benchmarks.limit import Baseline, compared, slow
from benchmarks.measure import Pair, Way, ratio_of
from benchmarks.meter import Counters, Meter
from benchmarks.report import TITLE, Line
from benchmarks.stack import servers

BASELINE = Path(__file__).with_name("baseline.json")
ROUNDS = 40
# A heartbeat of a driver may fall into one call; the least is what the operation costs.
SAMPLES = 5
DESCRIPTION = """\
Compare the repositories with the raw driver doing the same, in alternating rounds, and count what
each operation costs on the wire; in brackets, what the raw driver costs. Exit code 1: a counter is
above benchmarks/baseline.json (more than a tenth, for bytes), or a ratio above what is accepted.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    options = parse(arguments)
    lines = uvloop.run(measure(options.store or list(HANDS), options.rounds))
    if not lines:
        print("no store to measure: set POSTGRES_URL, MONGODB_URL or DYNAMODB_URL")
        return 2
    found = counted(lines)
    if options.update:
        BASELINE.write_text(json.dumps({**baseline(), **found}, indent=1) + "\n", "utf-8")
        print(f"{BASELINE.name} is written")
    return judge(lines, found)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what is asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=DESCRIPTION)
    parser.add_argument(
        "--store",
        action="append",
        choices=list(HANDS),
        help="only this one; may come again. Its URL is taken from the environment, or else "
        "PostgreSQL and MongoDB from an embedded stack",
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="how many rounds (default: %(default)s)"
    )
    parser.add_argument(
        "--update", action="store_true", help="write the counters of this run as the baseline"
    )
    return parser.parse_args(arguments)


async def measure(stores: Sequence[str], rounds: int) -> list[Line]:
    """Measure every store that can be had."""
    lines: list[Line] = []
    async with servers(stores) as urls:
        for store in stores:
            if store not in urls:
                print(f"{store}: left out: set {store.upper()}_URL")
                continue
            if not lines:
                print(TITLE)
            made = room(store, f"bench_{uuid4().hex[:8]}")
            await made.make(urls[store])
            lines += await _measured(made, urls[store], rounds)
    return lines


async def _measured(made: Room, url: str, rounds: int) -> list[Line]:
    counters = await _counters(made, url)
    lines = []
    async with made.contest(url, url) as pairs:
        for pair in pairs:
            ours, raw = counters[pair.name]
            lines.append(
                Line(made.store, pair.name, await ratio_of(pair, rounds=rounds), ours, raw)
            )
            print(lines[-1], flush=True)
    return lines


async def _counters(made: Room, url: str) -> Mapping[str, tuple[Counters, Counters]]:
    frames = FRAMES[made.store]
    async with (
        Meter(url, frames) as ours,
        Meter(url, frames) as raw,
        made.contest(ours.url, raw.url) as pairs,
    ):
        return {pair.name: await _both(pair, ours, raw) for pair in pairs}


async def _both(pair: Pair, ours: Meter, raw: Meter) -> tuple[Counters, Counters]:
    return await _least(pair.ours, ours), await _least(pair.raw, raw)


async def _least(way: Way, meter: Meter) -> Counters:
    """Return what one call costs, once statements are prepared."""
    await way.do(way.given())
    found: list[dict[str, int]] = []
    for _ in range(SAMPLES):
        given = way.given()
        meter.counters = Counters()
        await way.do(given)
        found.append(asdict(meter.counters))
    return Counters(**{name: min(each[name] for each in found) for name in found[0]})


def counted(lines: Sequence[Line]) -> dict[str, dict[str, dict[str, int]]]:
    """Return our counters by store and operation."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for line in lines:
        found.setdefault(line.store, {})[line.operation] = asdict(line.ours)
    return found


def baseline() -> Baseline:
    """Return what was written with --update."""
    found: Baseline = json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}
    return found


def judge(lines: Sequence[Line], found: Baseline) -> int:
    """Say what has grown and what takes too long; return the exit code."""
    more = compared(baseline(), found)
    late = [it for line in lines if (it := slow(line.store, line.operation, line.ratio))]
    print("counters:", "; ".join(more) or "none is above the baseline")
    print("ratios of this run:", "; ".join(late) or "all that are bounded are as accepted")
    return 1 if more or late else 0


if __name__ == "__main__":
    sys.exit(main())
