"""The stack lives and dies as a whole. It cannot show what a power cut does: kills only."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pymongo
import pytest
import redis

from rightstore.embedded.binary import SERVERS
from rightstore.embedded.home import Home
from rightstore.embedded.state import embedded_urls, read_state, stop
from rightstore.runtime.process import leftovers
from rightstore.testing.wait import until

pytestmark = pytest.mark.embedded


async def write(urls: dict[str, str], number: int) -> None:
    postgres = await asyncpg.connect(urls["postgres"])
    await postgres.execute("CREATE TABLE IF NOT EXISTS kept (number int PRIMARY KEY)")
    await postgres.execute("INSERT INTO kept VALUES ($1)", number)
    await postgres.close()
    with pymongo.MongoClient[Any](urls["mongodb"]) as mongodb:
        mongodb.shop.kept.insert_one({"_id": number})
    with redis.Redis.from_url(urls["redis"]) as cache:
        cache.set(f"kept:{number}", number)


async def read(urls: dict[str, str]) -> list[list[int]]:
    postgres = await asyncpg.connect(urls["postgres"])
    rows = [row["number"] for row in await postgres.fetch("SELECT number FROM kept ORDER BY 1")]
    await postgres.close()
    with pymongo.MongoClient[Any](urls["mongodb"]) as mongodb:
        documents = [each["_id"] for each in mongodb.shop.kept.find().sort("_id")]
    with redis.Redis.from_url(urls["redis"], decode_responses=True) as cache:
        keys = sorted(int(key.rpartition(":")[2]) for key in cache.keys("kept:*"))
    return [rows, documents, keys]


async def test_data_ports_and_passwords_survive_a_kill_of_everything(
    start: Any, tmp_path: Path
) -> None:
    first = start(tmp_path)
    urls = first.urls()
    await write(urls, 1)
    victims = [*psutil.Process(first.process.pid).children(recursive=True), first.process]
    for victim in victims:
        victim.kill()
    first.process.wait()

    second = start(tmp_path)
    await write(second.urls(), 2)

    assert second.urls() == urls
    assert await read(urls) == [[1, 2], [1, 2], [1, 2]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_end_leaves_no_process(start: Any, tmp_path: Path, number: int) -> None:
    running = start(tmp_path)

    code = running.end(signal.Signals(number))

    assert code == 0
    assert running.left() == []
    assert read_state(running.home) is None


async def test_the_death_of_the_supervisor_leaves_no_process(start: Any, tmp_path: Path) -> None:
    running = start(tmp_path)
    busy = await asyncpg.connect(running.urls()["postgres"])
    asked = busy.fetch("SELECT count(*) FROM generate_series(1, 1000000000)")
    pending = asyncio.ensure_future(asked)
    await until(lambda: len(running.left()) > 3)
    running.remember()

    running.end(signal.SIGKILL)

    await until(lambda: running.left() == [], seconds=10)
    pending.cancel()
    busy.terminate()


def test_an_end_while_starting_leaves_no_process(begin: Any, tmp_path: Path) -> None:
    running = begin(tmp_path)
    assert "initialising" in running.output.readline()
    running.remember()

    code = running.end(signal.SIGTERM)

    assert code == 0
    assert running.left() == []


def test_a_second_start_in_the_same_folder_says_it_is_running(
    start: Any, begin: Any, tmp_path: Path
) -> None:
    first = start(tmp_path, "redis")

    second = begin(tmp_path, "redis")

    assert second.process.wait(30) == 2
    assert second.complaint() == (
        f"already running (pid {first.process.pid}) in {tmp_path}: `rightstore status` shows it, "
        "`rightstore down` stops it"
    )
    assert first.program("redis").restarts == 0


async def test_what_a_dead_supervisor_left_written_is_ignored(start: Any, tmp_path: Path) -> None:
    first = start(tmp_path, "postgres")
    pid_file = first.home.postgres / "18" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    first.end(signal.SIGKILL)
    await until(lambda: first.left() == [])
    stranger = str(os.getpid())
    first.home.lock.write_text(stranger)
    pid_file.write_text("\n".join([stranger, *lines[1:]]) + "\n")
    assert read_state(first.home) is None

    second = start(tmp_path, "postgres")

    assert second.state().pid == second.process.pid


async def test_down_stops_it_and_says_whether_there_was_anything(
    start: Any, tmp_path: Path
) -> None:
    running = start(tmp_path, "redis")

    stopped = await stop(running.home)

    assert stopped
    assert running.process.wait(10) == 0
    assert running.left() == []
    assert not await stop(running.home)


async def test_down_ends_by_force_what_does_not_end_in_time(start: Any, tmp_path: Path) -> None:
    running = start(tmp_path, "redis", "postgres")
    running.process.send_signal(signal.SIGSTOP)
    lines: list[str] = []

    stopped = await stop(running.home, within=0.2, report=lines.append)

    assert stopped
    assert len(lines) == 1
    assert "redis" in lines[0]
    assert "postgres" in lines[0]
    assert running.process.wait(10) == -signal.SIGKILL
    await until(lambda: running.left() == [])


async def test_who_stands_in_a_data_folder_is_left_alone(start: Any, tmp_path: Path) -> None:
    running = start(tmp_path, "redis")
    person = await asyncio.create_subprocess_exec("/bin/sleep", "600", cwd=running.home.redis)

    await stop(running.home)

    assert person.returncode is None
    assert leftovers(running.home.redis) == [person.pid]
    person.kill()
    await person.wait()
    assert running.process.wait(10) == 0


@pytest.mark.parametrize("name", ["postgres", "redis", "documents"])
async def test_every_process_of_a_server_is_known_as_one(stack: Any, name: str) -> None:
    folder = stack.home.path / name

    # More than once, since the workers of PostgreSQL come and go.
    await until(lambda: leftovers(folder, SERVERS) == leftovers(folder) != [])


def test_the_state_names_every_program(stack: Any) -> None:
    state = stack.state()

    assert state.pid == stack.process.pid
    assert state.phase == "ready"
    assert {each.name: each.status for each in state.programs} == {
        "postgres": "ready",
        "redis": "ready",
        "mongodb": "ready",
    }
    assert all(psutil.pid_exists(each.pid) and each.log.exists() for each in state.programs)
    assert state.alarms == ()


def test_no_url_is_known_before_the_first_start(tmp_path: Path) -> None:
    assert embedded_urls(Home(tmp_path)) == {}
    assert read_state(Home(tmp_path / "nowhere")) is None
