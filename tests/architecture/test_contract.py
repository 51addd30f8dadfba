"""The import contracts are proved: each kind of forbidden import, planted in a copy, is refused.

They cannot see a module named by a string: importlib is banned outside the wiring (last test).
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

PLANTED = [
    ("errors.py", "import rightstore.ports.connection", "layers"),
    ("ports/connection.py", "import rightstore.telemetry.alarm", "layers"),
    ("runtime/machine.py", "import rightstore.settings", "layers"),
    ("runtime/machine.py", "import rightstore.embedded.home", "layers"),
    ("embedded/home.py", "import rightstore.wiring", "layers"),
    ("wiring.py", "import rightstore.web.server", "layers"),
    ("web/server.py", "import rightstore.cli.main", "layers"),
    ("unplaced.py", "import json", "layers"),
    (
        "adapters/redis/client.py",
        "import rightstore.adapters.postgres.client",
        "adapters-are-strangers",
    ),
    ("cli/version.py", "import rightstore.adapters.redis.client", "only-wiring-names-adapters"),
    ("embedded/home.py", "import rightstore.adapters.redis.client", "only-wiring-names-adapters"),
    ("clock.py", "import rightstore.codec", "layers"),
    ("errors.py", "import rightstore.ids", "no-cycles"),
    ("runtime/process.py", "import rightstore.runtime.supervisor", "no-cycles"),
    ("adapters/redis/client.py", "import asyncpg", "driver-postgres"),
    ("runtime/machine.py", "import pymongo.errors", "driver-mongodb"),
    ("telemetry/alarm.py", "import redis", "driver-redis"),
    ("wiring.py", "import botocore", "driver-dynamodb"),
    ("cli/main.py", "import opensearchpy", "driver-opensearch"),
    ("embedded/home.py", "import aio_pika", "driver-rabbitmq"),
    ("runtime/machine.py", "import fastapi", "web-frameworks"),
    ("telemetry/alarm.py", "import starlette.types", "web-frameworks"),
    ("wiring.py", "import typer", "terminal"),
    ("web/server.py", "import rich.console", "terminal"),
    ("runtime/machine.py", "import pytest", "tests-only"),
    ("runtime/machine.py", "def later():\n    import fastapi", "web-frameworks"),
    (
        "ports/connection.py",
        "import typing\nif typing.TYPE_CHECKING:\n    import asyncpg",
        "driver-postgres",
    ),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "src" / "rightstore", tmp_path / "rightstore", ignore=shutil.ignore_patterns("*.pyc")
    )
    return tmp_path


def check(folder: Path) -> tuple[bool, str]:
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache", "--no-logo"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": str(BIN)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_hold_for_an_untouched_copy(copy: Path) -> None:
    kept, said = check(copy)

    assert kept, said


@pytest.mark.parametrize(
    ("file", "line", "contract"), PLANTED, ids=[f"{file}: {line}" for file, line, _ in PLANTED]
)
def test_a_forbidden_import_is_refused(copy: Path, file: str, line: str, contract: str) -> None:
    target = copy / "rightstore" / file
    before = target.read_text("utf-8") if target.exists() else '"""New."""\n'
    target.write_text(f"{before}\n{line}\n", "utf-8")
    name = next(
        part.split('name = "')[1].split('"')[0]
        for part in (ROOT / "pyproject.toml")
        .read_text("utf-8")
        .split("[[tool.importlinter.contracts]]")
        if f'id = "{contract}"' in part
    )

    kept, said = check(copy)

    assert not kept
    assert f"{name} BROKEN" in said


def test_a_module_named_by_a_string_is_refused_by_the_linter(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / "src" / "rightstore" / "cli" / "planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text(
        '"""New."""\n\nimport importlib\n\nDRIVER = importlib.import_module("asyncpg")\n'
    )

    done = subprocess.run(
        [BIN / "ruff", "check", "--no-cache", "--output-format", "concise", planted],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "TID251" in done.stdout
