"""Files, functions, classes, ports and the root stay small. The allow-list may only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rightstore

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "rightstore"
MODULES = sorted(SRC.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MODULE_LINES, TEST_LINES, FUNCTION_LINES, CLASS_LINES = 400, 500, 40, 250
CLASS_METHODS, PORT_METHODS, EXPORTS = 12, 10, 50
ALLOWED: frozenset[str] = frozenset()

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines_of(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def too_large(tree: ast.AST) -> Iterator[str]:
    """Yield each function and class over its limit, by name."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and body_lines(node) > FUNCTION_LINES:
            yield f"{node.name}: {body_lines(node)} lines"
        if isinstance(node, ast.ClassDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > CLASS_LINES:
                yield f"class {node.name}: {length} lines"
            if len(public_methods(node)) > CLASS_METHODS:
                yield f"class {node.name}: {len(public_methods(node))} public methods"


def body_lines(node: Function) -> int:
    """Count the lines of a function's body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def public_methods(node: ast.ClassDef) -> list[str]:
    return [
        item.name
        for item in node.body
        if isinstance(item, Function) and not item.name.startswith("_")
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_of_the_library_is_small(path: Path) -> None:
    if name_of(path) in ALLOWED:
        return

    assert lines_of(path) <= MODULE_LINES
    assert list(too_large(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_begins_with_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_a_test_module_is_small(path: Path) -> None:
    assert lines_of(path) <= TEST_LINES


@pytest.mark.parametrize("path", sorted((SRC / "ports").glob("*.py")), ids=name_of)
def test_a_port_is_small(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            assert len(public_methods(node)) <= PORT_METHODS


def test_the_allow_list_names_only_what_is_too_large() -> None:
    small = [
        name
        for name in ALLOWED
        if lines_of(ROOT / name) <= MODULE_LINES
        and not list(too_large(ast.parse((ROOT / name).read_text("utf-8"))))
    ]

    assert small == []


def test_the_size_check_can_fail() -> None:
    body = "\n".join(f"    x{i} = {i}" for i in range(FUNCTION_LINES + 1))
    methods = "\n".join(f"    def m{i}(self): ..." for i in range(CLASS_METHODS + 1))

    found = list(too_large(ast.parse(f"def long():\n{body}\nclass Wide:\n{methods}\n")))

    assert found == ["long: 41 lines", "class Wide: 13 public methods"]


def test_the_public_face_is_short_and_sorted() -> None:
    names = list(rightstore.__all__)

    assert len(names) <= EXPORTS
    assert names == sorted(names)
    assert all(hasattr(rightstore, name) for name in names)
