"""All checks of the port `records`. `CHECKS` is what an adapter runs, those that fit it."""

from rightstore.testing.contract import batch, change, query, rule, write
from rightstore.testing.contract.check import Check, checks_of

CHECKS: tuple[Check, ...] = checks_of([write, change, query, batch, rule])
