"""Names of tests in the stores."""

import re

from rightstore.testing.namespace import namespace


def test_a_name_is_valid_in_every_store() -> None:
    name = namespace("tests/unit/test_x.py::test_größe[a b-C]")

    # The narrowest rule of all: lower case, begins with a letter, and short enough that a table,
    # an index or a queue can still be named after it.
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,20}", name)


def test_a_test_keeps_its_name_and_no_other_test_has_it() -> None:
    names = {namespace(f"test[{number}]") for number in range(10_000)}

    assert len(names) == 10_000
    assert namespace("test[1]") in names
