"""The table of docs/reference/stores.md: what each store holds of the suites, and what it refuses.

It is made of the very cases that the suites collect, so where a run of them passes it is true. That
the file has it is a test; `python -m tests.contract.matrix --write` puts it there.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from tests.contract.search import BUILDERS as SEARCHED
from tests.contract.test_records_suite import BUILDERS as RECORDED

from rightstore.ports.capability import Capability
from rightstore.ports.search import SearchCapability
from rightstore.testing.contract.check import Check
from rightstore.testing.contract.search_check import SearchCheck
from rightstore.testing.contract.search_suite import CHECKS as SEARCH_CHECKS
from rightstore.testing.contract.suite import CHECKS as RECORD_CHECKS

AnyCheck = Check | SearchCheck
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "stores.md"
BEGIN = "<!-- Made by `python -m tests.contract.matrix --write`; a test compares it. -->"
END = "<!-- The end of what is made. -->"
# A store that shows that a lack is refused; nobody keeps anything there.
SHOWN = "modest"
# Columns whose store is not the one that people have in production under that name.
NAMES = {"mongodb": "mongodb (the embedded server)", "dynamodb": "dynamodb (DynamoDB Local)"}


def block() -> str:
    """Return the tables, with what marks them in the page."""
    records = _table("records", get_args(Capability), RECORD_CHECKS, _abilities(RECORDED))
    search = _table("search", get_args(SearchCapability), SEARCH_CHECKS, _abilities(SEARCHED))
    return "\n".join([BEGIN, "", *records, "", *search, "", END])


def written() -> str:
    """Return what is in the page now."""
    text = PAGE.read_text("utf-8")
    return text[text.index(BEGIN) : text.index(END) + len(END)]


def _abilities(builders: Mapping[str, tuple[Any, frozenset[Any]]]) -> Mapping[str, frozenset[Any]]:
    return {name: can for name, (_, can) in builders.items() if name != SHOWN}


def _table(
    port: str, rows: Sequence[str], checks: Sequence[AnyCheck], stores: Mapping[str, frozenset[Any]]
) -> Iterable[str]:
    yield _row([port, *(NAMES.get(name, name) for name in stores)])
    yield _row(["---"] * (1 + len(stores)))
    every = [check for check in checks if not check.needs and check.lacks is None]
    yield _row(["every store: checks", *[f"held ({len(every)})"] * len(stores)])
    for row in rows:
        cells = [_cell(row, checks, can) for can in stores.values()]
        yield _row([f"`{row}`", *cells])


def _cell(row: str, checks: Sequence[AnyCheck], can: frozenset[Any]) -> str:
    collected = [check for check in checks if check.fits(can)]
    if row in can:
        return f"held ({sum(row in check.needs for check in collected)})"
    [lack] = [check.name for check in collected if check.lacks == row] or [""]
    if not lack:
        return "not promised"
    return f"refused: `{lack}`" if lack.endswith("_refused") else f"lacked: `{lack}`"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str], say: Callable[[str], object] = sys.stdout.write) -> int:
    """Print the tables, or put them into the page."""
    if arguments == ["--write"]:
        PAGE.write_text(PAGE.read_text("utf-8").replace(written(), block()), "utf-8")
    else:
        say(block() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
