"""An entity that lives in another store than its home is seen in `rightstore status`."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import pytest

APPLICATION = """
import asyncio, sys
from rightstore import Entity, Field, Rightstore


class Stock(Entity, key="sku", home="dynamodb"):
    sku: Field[str]


async def main():
    async with Rightstore("{name}", sys.modules[__name__]).open() as stores:
        await stores.of(Stock).put(Stock(sku="a"))


asyncio.run(main())
"""


@pytest.fixture
async def environment(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[dict[str, str]]:
    """PostgreSQL alone is configured."""
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    yield clean | {"POSTGRES_URL": store_urls["postgres"], "RIGHTSTORE_SCHEMA": "apply"}
    connection = await asyncpg.connect(store_urls["postgres"])
    await connection.execute(f'DROP SCHEMA IF EXISTS "{namespace}" CASCADE')
    await connection.close()


def run(environment: dict[str, str], folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.embedded
def test_status_names_the_entity_its_store_and_its_home(
    environment: dict[str, str], namespace: str, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(APPLICATION.format(name=namespace), "utf-8")
    run(environment, tmp_path, "shop.py")

    shown = run(environment, tmp_path, "-m", "rightstore", "status")
    told = json.loads(run(environment, tmp_path, "-m", "rightstore", "status", "--json"))

    assert f"{namespace} Stock: lives in postgres, its home is dynamodb" in shown.splitlines()
    assert {
        "application": namespace,
        "entity": "Stock",
        "home": "dynamodb",
        "store": "postgres",
    } in told["entities"]
