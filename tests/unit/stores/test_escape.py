"""Native escapes are found in the source of an application."""

import importlib.util
from pathlib import Path
from types import ModuleType

from rightstore.stores.escape import escapes
from rightstore.stores.portability import Escape

SOURCE = """
REASON = "facets"


async def bucket(stores):
    return stores.native(AsyncMongoClient, why="$facet in one pass")


async def other(stores, thing):
    thing.native("x")
    return stores.native(client=asyncpg.Pool, why=REASON)
"""


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("reports", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_call_is_found_with_its_client_reason_and_place(tmp_path: Path) -> None:
    path = tmp_path / "reports.py"
    path.write_text(SOURCE, "utf-8")

    found = list(escapes([loaded(path)]))

    assert found == [
        Escape("AsyncMongoClient", "$facet in one pass", "reports:6"),
        Escape("asyncpg.Pool", "REASON", "reports:11"),
    ]


def test_a_module_without_source_has_none() -> None:
    assert list(escapes([ModuleType("made")])) == []
