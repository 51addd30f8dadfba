"""The page of stores tells what this run holds and refuses, and no lack is without a refusal.

That a cell is true is the business of the suites it is made of: a case that fails, or is missing
where servers are required, fails the run.
"""

from typing import get_args

import pytest
from tests.contract import matrix

from rightstore.ports.capability import Capability
from rightstore.ports.search import SearchCapability
from rightstore.testing.contract.search_suite import CHECKS as SEARCH_CHECKS
from rightstore.testing.contract.suite import CHECKS as RECORD_CHECKS

# Nobody can be refused a promise: where it is not made, a find may be a little late.
PROMISES = {"fresh"}


def test_the_page_says_what_the_suites_collect() -> None:
    # Otherwise: python -m tests.contract.matrix --write
    assert matrix.written() == matrix.block()


@pytest.mark.parametrize(
    ("capabilities", "checks"),
    [(get_args(Capability), RECORD_CHECKS), (get_args(SearchCapability), SEARCH_CHECKS)],
    ids=["records", "search"],
)
def test_each_capability_has_a_check_and_its_lack_a_refusal(
    capabilities: tuple[str, ...], checks: tuple[matrix.AnyCheck, ...]
) -> None:
    checked = {need for check in checks for need in check.needs}
    refused = {check.lacks for check in checks if check.lacks is not None}

    assert checked == set(capabilities)
    assert refused == set(capabilities) - PROMISES
