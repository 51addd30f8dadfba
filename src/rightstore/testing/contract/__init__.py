"""The contracts of the ports as checks that the author of an adapter runs on it; needs pytest.

`suite` lists them, `sample` has the entities that they use: the adapter makes room for these first.
"""

import pytest

_RECORDS = ("batch", "change", "query", "rule", "write")
_SEARCH = ("search_count", "search_filter", "search_sample", "search_text", "search_write")
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _RECORDS + _SEARCH))
