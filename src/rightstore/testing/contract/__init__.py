"""The contracts of the ports as checks that the author of an adapter runs on it; needs pytest.

`suite` lists them, `sample` has the entities that they use: the adapter makes room for these first.
"""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{module}" for module in ("batch", "change", "query", "rule", "write"))
)
