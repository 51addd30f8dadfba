"""The supervisor dies between two steps of a first start: nothing is left, the next start heals."""

import asyncio
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pymongo
import pytest
import redis

from rightstore.embedded.state import read_state
from rightstore.runtime.process import leftovers
from rightstore.testing.crash import crash, survey
from rightstore.testing.wait import until

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]

SUPERVISE = Path(__file__).with_name("supervise.py")
STEPS = {
    "home-made",
    "secrets-written",
    "ports-written",
    "initdb-done",
    "initdb-renamed",
    "postgres-owner-made",
    "documents-folder-made",
    "documents-owner-made",
    "documents-owner-marked",
}
STORES = ("postgres", "redis", "mongodb")


def environment() -> dict[str, str]:
    return os.environ | {"ONCE": "1"}


async def serve(urls: dict[str, str]) -> None:
    postgres = await asyncpg.connect(urls["postgres"])
    await postgres.execute("CREATE TABLE mine (number int)")
    await postgres.close()
    with pymongo.MongoClient[Any](urls["mongodb"]) as mongodb:
        mongodb.shop.mine.insert_one({})
    with redis.Redis.from_url(urls["redis"]) as cache:
        cache.set("mine", 1)


def is_clear(home: Path) -> bool:
    return leftovers(home) == []


def command(home: Path) -> list[str]:
    return [sys.executable, str(SUPERVISE), str(home), *STORES]


async def crash_and_heal(begin: Any, home: Path, hit: str) -> None:
    await crash(command(home), hit, environment=environment())
    await until(partial(is_clear, home))
    running = begin(home)
    await until(lambda: is_ready(running), seconds=60, every=0.05)
    await serve(running.urls())
    running.process.terminate()
    await until(lambda: running.process.poll() is not None, seconds=30)
    assert running.process.returncode == 0


def is_ready(running: Any) -> bool:
    assert running.process.poll() is None, running.complaint()
    state = read_state(running.home)
    return state is not None and state.phase == "ready"


async def test_a_crash_at_any_step_of_the_first_start_is_healed(begin: Any, tmp_path: Path) -> None:
    hits = await survey(command(tmp_path / "survey"), environment=environment())
    few = asyncio.Semaphore(4)

    async def try_one(hit: str) -> None:
        async with few:
            await crash_and_heal(begin, tmp_path / hit.replace(":", "-"), hit)

    await asyncio.gather(*map(try_one, hits))

    assert {hit.partition(":")[0] for hit in hits} == STEPS
