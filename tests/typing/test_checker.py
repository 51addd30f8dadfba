"""mypy and pyright, both strict, take what applications write and refuse what is wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("must_fail.py")
APPLICATIONS = ("blog", "layer8", "pricing", "pulse", "shop")
GOOD = [Path(__file__).with_name(f"{name}.py") for name in (*APPLICATIONS, "expression")]
GOOD.append(ROOT / "examples" / "quickstart.py")
# What strict pyright says of any line that only mentions an expression.
STYLE = {"reportUnusedExpression", "reportUnusedImport", "reportUnusedVariable"}


@pytest.fixture
def subject(tmp_path: Path) -> Path:
    """A copy of the wrong uses that no first line hides from the checkers."""
    lines = SOURCE.read_text("utf-8").splitlines()
    copy = tmp_path / "must_fail.py"
    copy.write_text("\n".join(["", *lines[1:]]) + "\n", "utf-8")
    return copy


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout


def mypy(*paths: Path) -> set[tuple[str, int]]:
    said = run(sys.executable, "-m", "mypy", "--no-pretty", *map(str, paths))
    assert "Found" in said or "Success" in said
    found = re.findall(r"^(.+?):(\d+): error", said, re.MULTILINE)
    return {(Path(path).name, int(line)) for path, line in found}


def pyright(*paths: Path) -> set[tuple[str, int]]:
    config = paths[0].parent / "pyrightconfig.json"
    said = run(sys.executable, "-m", "pyright", "--outputjson", "-p", str(config))
    report = json.loads(said)
    assert report["summary"]["filesAnalyzed"] == len(paths)
    return {
        (Path(item["file"]).name, item["range"]["start"]["line"] + 1)
        for item in report["generalDiagnostics"]
        if item["severity"] == "error" and item.get("rule") not in STYLE
    }


def configure(folder: Path, paths: list[Path]) -> None:
    config = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "include": [str(path) for path in paths],
        "extraPaths": [str(ROOT / "src"), str(ROOT)],
        "venvPath": str(ROOT),
        "venv": ".venv",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config), "utf-8")


def marked() -> set[tuple[str, int]]:
    lines = SOURCE.read_text("utf-8").splitlines()
    return {(SOURCE.name, n) for n, line in enumerate(lines, 1) if line.endswith("# E")}


def test_mypy_refuses_exactly_the_wrong_uses(subject: Path) -> None:
    assert mypy(subject) == marked()


def test_pyright_refuses_exactly_the_wrong_uses(subject: Path) -> None:
    configure(subject.parent, [subject])

    assert pyright(subject) == marked()


def test_mypy_takes_what_applications_write() -> None:
    assert mypy(*GOOD) == set()


def test_pyright_takes_what_applications_write(tmp_path: Path) -> None:
    copies = [tmp_path / path.name for path in GOOD]
    for path, copy in zip(GOOD, copies, strict=True):
        copy.write_text(path.read_text("utf-8"), "utf-8")
    configure(tmp_path, copies)

    assert pyright(*copies) == set()
