"""All checks of the port `search`. `CHECKS` is what an adapter runs, those that fit it."""

from rightstore.testing.contract import search_count, search_filter, search_text, search_write
from rightstore.testing.contract.search_check import SearchCheck

CHECKS: tuple[SearchCheck, ...] = tuple(
    found
    for module in (search_write, search_text, search_filter, search_count)
    for found in vars(module).values()
    if isinstance(found, SearchCheck)
)
