"""Seeded faults: `MUTANT=name` removes one mechanism, so that a law's test can be seen to fail.

Refused unless RIGHTSTORE_TESTING=1 is set too, which only the tests do. `make mutants` runs them.
"""

import os
from collections.abc import Mapping

from rightstore.errors import UsageError


def _named(environment: Mapping[str, str]) -> str:
    name = environment.get("MUTANT", "")
    if name and environment.get("RIGHTSTORE_TESTING") != "1":
        raise UsageError("MUTANT is set: it breaks a promise on purpose, for tests only: unset it.")
    return name


_name = _named(os.environ)


def mutant(name: str) -> bool:
    """Tell whether this mechanism is to be left out; without a mutant one look at a constant."""
    return _name == name
