"""`rightstore check`: a person asks whether each entity can live where it is wished."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """
import sys
from rightstore import Entity, Field, Index, Rightstore, Stores


class Product(Entity, key="sku", home="mongodb", indexes=[Index("category")]):
    sku: Field[str]
    category: Field[str]


async def report(stores: Stores, client):
    return stores.native(client, why="a pipeline with $facet")


shop = Rightstore("shop", sys.modules[__name__])
"""
BAD = """
import sys
from rightstore import Cache, Entity, Field, Index, Rightstore, Search


class Account(Entity, home="dynamodb", indexes=[Index("email", unique=True)]):
    id: Field[str]
    email: Field[str]


class Card(Entity, cache=Cache(ttl=60), search=Search("id")):
    id: Field[str]


bank = Rightstore("bank", sys.modules[__name__])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.py").write_text(GOOD, "utf-8")
    (tmp_path / "bad.py").write_text(BAD, "utf-8")
    return tmp_path


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "rightstore", "check", *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.endswith("_URL")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_can_live_at_home_is_said_with_the_native_escapes(folder: Path) -> None:
    done = check(folder, "good:shop")

    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "shop: every entity can live at home"
    assert "entity home postgres mongodb dynamodb" in lines
    assert "Product mongodb ok ok ok" in lines
    assert lines[-1] == "native client (good:12): a pipeline with $facet"


def test_what_cannot_is_named_with_the_remedy_and_an_exit_code(folder: Path) -> None:
    done = check(folder, "bad:bank")

    assert done.returncode == 1
    assert "bank: Account, Card cannot live at home" in done.stdout
    assert "Account in dynamodb: Index(email): it keeps nothing unique but keys" in done.stdout
    assert "make the field the key of an entity of its own" in done.stdout
    assert "Card: Cache(…) is not built yet" in done.stdout


def test_a_program_gets_json(folder: Path) -> None:
    done = check(folder, "bad:bank", "--json")

    [report] = json.loads(done.stdout)
    account, card = report["entities"]
    assert (report["application"], report["ok"]) == ("bank", False)
    assert account["obstacles"]["postgres"] == []
    assert account["obstacles"]["dynamodb"][0]["subject"] == "Index(email)"
    assert card["unbuilt"] == ["Cache(…)", "Search(…)"]
    assert (report["search_store"], card["search"]) == (
        "postgres",
        {"postgres": [], "opensearch": []},
    )


@pytest.mark.parametrize(
    ("url", "searcher"), [("", "postgres"), ("http://127.0.0.1:9200", "opensearch")]
)
def test_the_store_that_would_search_is_named(folder: Path, url: str, searcher: str) -> None:
    (folder / ".env").write_text(f"OPENSEARCH_URL={url}\n", "utf-8")

    done = check(folder, "bad:bank")

    assert f"Card: with these settings {searcher} searches it" in done.stdout


@pytest.mark.parametrize("name", ["good:Product", "good:nothing", "nowhere:shop", "shop"])
def test_what_is_no_application_is_refused(folder: Path, name: str) -> None:
    done = check(folder, name)

    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
