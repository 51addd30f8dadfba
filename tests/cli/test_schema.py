"""What a person does with `rightstore schema` and `rightstore work`, on real servers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.contract.role import lesser

from rightstore.settings import STORES
from rightstore.testing.wait import until

APPLICATION = """
import sys
from datetime import datetime, timedelta

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore import Entity, Field, Index, Retain, Rightstore, field, new_id


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    total: Mapped[int] = mapped_column(server_default="0")
    #more


class Product(Entity, name="product", home="mongodb", indexes=[Index("name")]):
    id: Field[str]
    name: Field[str]


class View(Entity, name="view", retain=Retain("at", timedelta(hours=1))):
    id: Field[str] = field(default_factory=new_id)
    at: Field[datetime]


shop = Rightstore("{name}", sys.modules[__name__])
other = "no definition"
"""
SERVICE = """
import asyncio, asyncpg, os
from rightstore import now
from shop_main import Order, View, shop

async def main():
    async with shop.open() as stores:
        view = await stores.of(View).put(View(at=now()))
        async with stores.transaction() as tx:
            tx.sql.add(Order(id="a"))
        print(view._version, await stores.of(View).find().count())
    session = await asyncpg.connect(os.environ["POSTGRES_URL"])
    try:
        await session.execute(f"DROP TABLE {shop.name}.orders")
    except asyncpg.PostgresError as error:
        print(type(error).__name__)

asyncio.run(main())
"""
MORE = "note: Mapped[str | None] = mapped_column(index=True)"


class Person:
    """Somebody in a folder that holds an application, with the stores of the test run."""

    def __init__(self, folder: Path, name: str, urls: Mapping[str, str]) -> None:
        self.folder, self.name, self.urls = folder, name, urls
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key not in {f"{store.upper()}_URL" for store in STORES}
        }
        for store in ("postgres", "mongodb", "redis"):
            self.environment[f"{store.upper()}_URL"] = urls[store]
        self.environment["RIGHTSTORE_HOME"] = str(folder / ".rightstore")
        self.declares()

    def declares(self, more: str = "") -> None:
        """Write the application, with this in its table."""
        text = APPLICATION.replace("{name}", self.name).replace("#more", more)
        (self.folder / "shop_main.py").write_text(text)

    def runs(self, *arguments: str, code: int = 0) -> str:
        """Run a command of `rightstore schema`, see its code, return standard output."""
        done = self.python("-m", "rightstore", "schema", *arguments)
        self.said = done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder of the application."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def starts(self, *arguments: str, out: Any) -> subprocess.Popen[str]:
        """Start a command; standard error goes where standard output goes, unless that is read."""
        return subprocess.Popen(
            [sys.executable, "-m", "rightstore", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=out,
            stderr=subprocess.DEVNULL if out == subprocess.PIPE else out,
            text=True,
        )

    def steps(self) -> list[dict[str, object]]:
        """Return the steps of the plan."""
        (found,) = json.loads(self.runs("plan", "shop_main:shop", "--json"))
        assert found["application"] == self.name
        return list(found["steps"])


@pytest.fixture
async def session(
    store_urls: Mapping[str, str], namespace: str
) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        store_urls["postgres"], server_settings={"search_path": namespace}
    )
    yield connection
    await connection.execute(f"DROP SCHEMA IF EXISTS {namespace} CASCADE")
    await connection.close()


@pytest.fixture
def person(
    tmp_path: Path, namespace: str, store_urls: Mapping[str, str], session: asyncpg.Connection
) -> Person:
    return Person(tmp_path, namespace, store_urls)


async def test_plan_apply_and_check_over_all_stores(
    person: Person, session: asyncpg.Connection
) -> None:
    planned = person.steps()
    shown = person.runs("plan", "shop_main:shop")
    before = person.runs("check", "shop_main:shop", code=1)
    person.runs("apply", "shop_main:shop")
    progress = person.said
    after = person.runs("check", "shop_main:shop")

    assert {step["store"] for step in planned} == {"postgres", "mongodb"}
    assert ("table orders", "create the table") in {
        (step["subject"], step["action"]) for step in planned
    }
    assert f"{person.name}: {len(planned)} to do" in shown
    assert shown == before
    assert f"{person.name} 1/{len(planned)} postgres schema {person.name}: create it" in progress
    assert after == f"{person.name}: everything is there\n"
    assert await session.fetchval("SELECT count(*) FROM orders") == 0


async def test_a_destructive_step_is_refused_until_it_is_allowed(
    person: Person, session: asyncpg.Connection
) -> None:
    person.declares(MORE)
    person.runs("apply", "shop_main:shop")
    person.declares()

    person.runs("apply", "shop_main:shop", code=2)
    refusal = person.said
    is_there = await session.fetchval("SELECT count(note) FROM orders")
    person.runs("apply", "shop_main:shop", "--expand")
    done = json.loads(person.runs("apply", "shop_main:shop", "--allow-destructive", "--json"))

    assert refusal.startswith("error: Nothing was done, because this would lose data")
    assert "drop the column note with all its values" in refusal
    assert "--allow-destructive" in refusal
    assert is_there == 0
    assert [step["destructive"] for step in done[0]["done"]] == [False, True]
    assert done[0]["error"] is None
    assert person.steps() == []


async def test_two_processes_at_once_do_it_once(person: Person) -> None:
    both = [
        person.starts("schema", "apply", "shop_main:shop", "--json", out=subprocess.PIPE)
        for _ in range(2)
    ]

    answers = [json.loads(each.communicate(timeout=60)[0])[0] for each in both]

    counts = sorted(len(answer["done"]) for answer in answers)
    assert [each.returncode for each in both] == [0, 0]
    assert counts[0] == 0
    assert counts[1] > 3


async def test_a_lock_that_others_hold_is_told_with_its_holder_and_the_rest_is_done_later(
    person: Person, session: asyncpg.Connection
) -> None:
    person.runs("apply", "shop_main:shop")
    person.declares(MORE)
    person.environment["POSTGRES_LOCK_TIMEOUT"] = "0.1"
    held = session.transaction()
    await held.start()
    await session.execute("LOCK TABLE orders IN ACCESS SHARE MODE")

    printed = await asyncio.to_thread(person.runs, "apply", "shop_main:shop", code=3)
    told = person.said
    await held.rollback()
    person.runs("apply", "shop_main:shop")

    assert "2 not: what is done stays; apply again for the rest" in printed
    assert f"pid {session.get_server_pid()}" in told
    assert person.steps() == []


async def test_the_owner_makes_the_room_in_which_a_lesser_user_serves(
    person: Person, store_urls: Mapping[str, str], namespace: str
) -> None:
    async with lesser(store_urls["postgres"], namespace) as url:
        person.environment |= {"POSTGRES_URL": url, "POSTGRES_OWNER_URL": store_urls["postgres"]}
        person.runs("apply", "shop_main:shop")
        person.runs("check", "shop_main:shop")
        served = person.python("-c", SERVICE)
        shown = person.python("-m", "rightstore", "config")

    assert served.stdout == "1 1\nInsufficientPrivilegeError\n", served.stderr
    assert "POSTGRES_OWNER_URL" in shown.stdout
    assert str(urlsplit(store_urls["postgres"]).password) not in shown.stdout


def test_an_application_that_is_none_is_said_to_be_none(person: Person) -> None:
    person.runs("plan", "shop_main:other", code=2)
    no_definition = person.said
    person.runs("plan", "shop_main:nothing", code=2)
    nothing = person.said
    person.runs("plan", code=2)

    assert "is no Rightstore but str" in no_definition
    assert "shop_main has no nothing" in nothing
    assert "no application is installed" in person.said


async def test_work_removes_what_has_expired_and_ends_when_it_is_told_to(
    person: Person, session: asyncpg.Connection
) -> None:
    person.runs("apply", "shop_main:shop")
    await session.execute(
        "INSERT INTO view (key, version, body, schema, write_id, wal) SELECT 'v' || n, 1, "
        "json_build_object('id', 'v' || n, 'at', '2020-01-01T00:00:00.000000'), 1, 'w', 0 "
        "FROM generate_series(1, 1200) AS n"
    )
    log = person.folder / "work.log"
    with log.open("wb") as out:
        process = person.starts("work", "shop_main:shop", out=out)
    try:
        await until(lambda: '"count":200' in log.read_text("utf-8"), seconds=30)
        left = await session.fetchval("SELECT count(*) FROM view")
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 20)

    assert left == 0
    assert code == 0
    assert log.read_text("utf-8").endswith("stopped\n")
