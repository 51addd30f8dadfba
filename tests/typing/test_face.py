"""The public face: what is there, what comes later, and that neither pretends to be the other."""

import ast
from pathlib import Path

import pytest

import rightstore

LATER = Path(__file__).with_name("later.txt")
FACE = Path(rightstore.__file__)
NAMES = """
    Entity Part Field Maybe field Job Event Versioned new_id now version_of
    Index Cache Search Retain Personal track
    Condition FieldPath count
    on on_batch projection Patch job every saga cached upgrade Retry
    Rightstore Settings Stores Repository Transaction Work Saga Run
    Change Read Page Hits Limit errors
"""
API = NAMES.split()


def later() -> dict[str, int]:
    lines = LATER.read_text("utf-8").splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#")]
    return {name: int(step) for name, step in pairs}


def imported_for_checkers() -> dict[str, str]:
    """Return the module of each name that the type checkers see."""
    for node in ast.parse(FACE.read_text("utf-8")).body:
        if isinstance(node, ast.If):
            return {
                name.name: statement.module or ""
                for statement in node.body
                if isinstance(statement, ast.ImportFrom)
                for name in statement.names
            }
    return {}


def test_what_is_there_and_what_comes_later_are_the_whole_api() -> None:
    assert sorted([*rightstore.__all__, *later()]) == sorted(API)
    assert len(API) == 44


@pytest.mark.parametrize("name", later())
def test_nothing_pretends_to_be_built(name: str) -> None:
    assert not hasattr(rightstore, name)


@pytest.mark.parametrize("name", rightstore.__all__)
def test_a_name_is_the_same_to_the_checkers_and_at_run_time(name: str) -> None:
    module = imported_for_checkers()[name]

    home = vars(rightstore)["_HOMES"][name]
    assert module in (f"rightstore.{home}", "rightstore")
    assert getattr(rightstore, name) is not None
    assert name in dir(rightstore)


def test_the_checkers_see_no_other_name() -> None:
    assert sorted(imported_for_checkers()) == rightstore.__all__


def test_a_name_whose_package_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")

    monkeypatch.setattr(rightstore, "_import", missing)

    with pytest.raises(ModuleNotFoundError, match=r"pip install 'rightstore\[postgres\]'"):
        vars(rightstore)["__getattr__"]("Versioned")
