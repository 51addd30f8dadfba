"""Each server is killed while somebody writes: it comes back in time and has lost nothing.

A kill is not a power cut: what the kernel has, it keeps. The document server is asked to sync
every commit all the same, since it loses acknowledged writes otherwise.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import psutil
import pymongo
import pytest
from pymongo.errors import PyMongoError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rightstore.clock import SYSTEM
from rightstore.testing.wait import until

pytestmark = pytest.mark.embedded

BACK_WITHIN = {"postgres": 5.0, "redis": 5.0, "mongodb": 15.0}
LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    PyMongoError,
    RedisError,
)
Write = Callable[[int], Awaitable[None]]


class Writer:
    """Writes number after number, and remembers which were acknowledged."""

    def __init__(self, write: Write) -> None:
        self.acknowledged: list[int] = []
        self._stopping = False
        self._write = write
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        number = 0
        while not self._stopping:
            number += 1
            try:
                async with asyncio.timeout(2):
                    await self._write(number)
            except LOST:
                await SYSTEM.sleep(0.01)
            else:
                self.acknowledged.append(number)

    async def more(self, count: int) -> None:
        goal = len(self.acknowledged) + count
        await until(lambda: len(self.acknowledged) >= goal, seconds=20)

    async def stop(self) -> None:
        self._stopping = True
        await self._task


async def kill(stack: Any, name: str) -> float:
    """Kill a server and return after how long it was ready again."""
    before = stack.program(name)
    begin = SYSTEM.monotonic()
    os.kill(before.pid, signal.SIGKILL)

    def is_back() -> bool:
        now = stack.program(name)
        return bool(now.restarts > before.restarts and now.status == "ready")

    await until(is_back, seconds=30, every=0.02)
    return SYSTEM.monotonic() - begin


async def test_postgres_comes_back_and_has_lost_nothing(stack: Any) -> None:
    url = stack.urls()["postgres"]
    sessions = [await asyncpg.connect(url)]
    await sessions[0].execute("CREATE TABLE written (number bigint PRIMARY KEY)")

    async def write(number: int) -> None:
        if sessions[-1].is_closed():
            sessions.append(await asyncpg.connect(url))
        try:
            await sessions[-1].execute("INSERT INTO written VALUES ($1)", number)
        except LOST:
            sessions[-1].terminate()
            raise

    writer = Writer(write)
    await writer.more(100)

    took = await kill(stack, "postgres")

    await writer.more(100)
    await writer.stop()
    kept = {row["number"] for row in await sessions[-1].fetch("SELECT number FROM written")}
    await sessions[-1].close()
    assert set(writer.acknowledged) <= kept
    assert took < BACK_WITHIN["postgres"]


async def test_postgres_comes_back_while_an_orphan_still_computes(stack: Any) -> None:
    busy = await asyncpg.connect(stack.urls()["postgres"])
    asked = asyncio.ensure_future(
        busy.fetch("SELECT count(*) FROM generate_series(1, 1000000000) a")
    )
    backend = busy.get_server_pid()
    await until(lambda: psutil.Process(backend).cpu_times().user > 0.1)

    took = await kill(stack, "postgres")

    assert took < BACK_WITHIN["postgres"]
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await asked
    busy.terminate()


async def test_documents_come_back_and_none_is_lost(stack: Any) -> None:
    client = pymongo.AsyncMongoClient[Any](
        stack.urls()["mongodb"], serverSelectionTimeoutMS=1000, retryWrites=False
    )
    collection = client.shop.written

    async def write(number: int) -> None:
        await collection.insert_one({"_id": number})

    writer = Writer(write)
    await writer.more(100)

    took = await kill(stack, "mongodb")

    await writer.more(100)
    await writer.stop()
    kept = {each["_id"] async for each in collection.find()}
    await client.close()
    assert set(writer.acknowledged) <= kept
    assert took < BACK_WITHIN["mongodb"]


async def test_redis_comes_back_with_what_it_had(stack: Any) -> None:
    client = Redis.from_url(stack.urls()["redis"], decode_responses=True)

    async def write(number: int) -> None:
        await client.set(f"written:{number}", number)

    writer = Writer(write)
    await writer.more(100)

    took = await kill(stack, "redis")

    await writer.more(100)
    await writer.stop()
    keys: Any = await client.keys("written:*")
    kept = {int(key.rpartition(":")[2]) for key in keys}
    await client.aclose()
    assert set(writer.acknowledged) <= kept
    assert took < BACK_WITHIN["redis"]


async def test_an_alarm_sounds_at_the_second_death_and_clears(start: Any, tmp_path: Any) -> None:
    running = start(tmp_path, "redis")
    os.kill(running.pid("redis"), signal.SIGKILL)
    await until(lambda: running.program("redis").restarts == 1)
    await until(lambda: running.program("redis").status == "ready")
    sounded: list[str] = []

    def sounds() -> bool:
        sounded.extend(each.alarm for each in running.state().alarms)
        return bool(sounded)

    os.kill(running.pid("redis"), signal.SIGKILL)

    await until(sounds)
    await until(lambda: not running.state().alarms)
    assert set(sounded) == {"server-down"}
    assert running.program("redis").restarts == 2
