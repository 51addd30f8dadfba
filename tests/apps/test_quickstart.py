"""The quickstart of the README: unchanged code, the same output in every store."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import pytest

from rightstore.settings import STORES

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples" / "quickstart.py"
README = (ROOT / "README.md").read_text("utf-8")
TOLD = README.partition("$ python examples/quickstart.py postgres\n")[2].partition("```")[0]


@pytest.fixture
async def room(store_urls: Mapping[str, str]) -> AsyncIterator[Mapping[str, str]]:
    """The servers of this run, without what an earlier quickstart left in PostgreSQL."""
    yield store_urls
    connection = await asyncpg.connect(store_urls["postgres"])
    for where in ("postgres", "mongodb", "dynamodb"):
        await connection.execute(f"DROP SCHEMA IF EXISTS quickstart_{where} CASCADE")
    await connection.close()


def run(where: str, urls: Mapping[str, str], folder: Path) -> str:
    """Run the quickstart as a stranger would, outside the repository."""
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    given = {f"{store.upper()}_URL": urls[store] for store in STORES if store in urls}
    done = subprocess.run(
        [sys.executable, "-P", str(QUICKSTART), where],
        cwd=folder,
        env=clean | given | {"RIGHTSTORE_SCHEMA": "apply"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs_in_memory_with_nothing_configured(tmp_path: Path) -> None:
    assert run("memory", {}, tmp_path) == TOLD


@pytest.mark.embedded
@pytest.mark.parametrize("where", ["postgres", "mongodb", "dynamodb"])
def test_it_says_the_same_in_every_store_and_again(
    where: str, room: Mapping[str, str], tmp_path: Path
) -> None:
    """Where DynamoDB has no URL, as in `make test`, PostgreSQL does its work."""
    first, second = run(where, room, tmp_path), run(where, room, tmp_path)

    assert first == second == TOLD


def test_the_readme_shows_the_quickstart_as_it_is_and_it_is_short() -> None:
    shown = re.search(r"```py\n(.*?)```", README, re.DOTALL)

    assert shown is not None
    assert shown[1] == QUICKSTART.read_text("utf-8")
    assert len([line for line in shown[1].splitlines() if line.strip()]) <= 33
