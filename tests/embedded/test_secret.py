"""Nobody gets in without a password, and nobody but us reads one."""

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil
import pymongo
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from rightstore.embedded.secret import Secrets

pytestmark = pytest.mark.embedded


def passwords(stack: Any) -> list[str]:
    kept = Secrets.read(stack.home)
    assert kept is not None
    return [kept.postgres_admin, kept.postgres_owner, kept.redis, kept.mongodb_owner]


def command_lines() -> Iterator[str]:
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            yield " ".join(each.cmdline())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("user", ["rightstore", "rightstore_admin"])
@pytest.mark.parametrize("by", ["socket", "tcp"])
async def test_postgres_wants_a_password(stack: Any, user: str, by: str) -> None:
    port = stack.port("postgres")
    host = str(stack.home.run) if by == "socket" else "127.0.0.1"

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host=host, port=port, user=user, password="wrong", database="rightstore"
        )


async def test_postgres_keeps_passwords_as_scram(stack: Any) -> None:
    admin = await asyncpg.connect(
        host="127.0.0.1",
        port=stack.port("postgres"),
        user="rightstore_admin",
        password=passwords(stack)[0],
        database="postgres",
    )

    kept = await admin.fetch("SELECT rolpassword FROM pg_authid WHERE rolcanlogin")
    rules = await admin.fetch("SELECT auth_method FROM pg_hba_file_rules")
    await admin.close()

    assert all(row["rolpassword"].startswith("SCRAM-SHA-256$") for row in kept)
    assert {row["auth_method"] for row in rules} == {"scram-sha-256"}


async def test_postgres_is_durable_and_logs_no_user_data(stack: Any) -> None:
    owner = await asyncpg.connect(stack.urls()["postgres"])
    await owner.execute("CREATE TABLE canary (word text UNIQUE)")
    await owner.execute("INSERT INTO canary VALUES ('tweet-canary')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute("INSERT INTO canary VALUES ('tweet-canary')")

    settings = [
        await owner.fetchval(f"SHOW {name}")
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    ]
    await owner.close()

    assert settings == ["on", "on", "on", "on"]
    assert "canary" not in stack.home.log("postgres").read_text()


def test_redis_wants_a_password(stack: Any) -> None:
    once: Any = {"retry": Retry(NoBackoff(), 0)}
    with (
        redis.Redis(port=stack.port("redis"), **once) as by_tcp,
        redis.Redis(unix_socket_path=str(stack.home.run / "redis.sock"), **once) as by_socket,
    ):
        for client in (by_tcp, by_socket):
            with pytest.raises(redis.exceptions.AuthenticationError):
                client.set("a", 1)


def test_redis_is_a_cache_with_a_bound(stack: Any) -> None:
    with redis.Redis.from_url(stack.urls()["redis"], decode_responses=True) as client:
        settings: Any = client.config_get("*")

    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["save"] == ""
    assert settings["maxmemory"] == str(256 * 1024 * 1024)
    assert settings["maxmemory-policy"] == "allkeys-lru"


def test_documents_want_a_password(stack: Any) -> None:
    with pymongo.MongoClient[Any](port=stack.port("mongodb")) as client:
        with pytest.raises(pymongo.errors.OperationFailure) as read:
            client.shop.canary.find_one()
        with pytest.raises(pymongo.errors.OperationFailure) as user:
            client.admin.command("createUser", "thief", pwd="x", roles=["root"])

    assert (read.value.code, user.value.code) == (13, 13)


def test_every_server_listens_on_loopback_only(stack: Any) -> None:
    children = psutil.Process(stack.process.pid).children()
    addresses = {
        each.laddr.ip
        for child in children
        for each in child.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }

    assert addresses == {"127.0.0.1"}


def test_no_server_runs_as_root(stack: Any) -> None:
    for child in psutil.Process(stack.process.pid).children():
        status = Path(f"/proc/{child.pid}/status").read_text()
        inside = Path(f"/proc/{child.pid}/uid_map").read_text().split()
        is_root = child.uids().real == 0 and inside[0] == "0"

        assert not is_root
        assert "CapEff:\t0000000000000000" in status


def test_secrets_are_for_us_alone(stack: Any) -> None:
    home = stack.home

    assert mode(home.secrets) == 0o600
    assert mode(home.redis / "redis.conf") == 0o600
    assert mode(home.documents / "key") == 0o600
    assert {mode(each) for each in home.logs.iterdir()} == {0o600}
    assert mode(home.path) in (0o700, 0o711)
    assert not (home.postgres / "password").exists()


def test_no_password_is_told_anywhere_else(stack: Any) -> None:
    told = list(command_lines())
    told += [" ".join(stack.said), stack.home.state.read_text(), stack.home.ports.read_text()]
    told += [log.read_text() for log in stack.home.logs.iterdir()]

    for password in passwords(stack):
        assert not any(password in each for each in told)


def test_urls_lead_through_sockets(stack: Any) -> None:
    urls = stack.urls()

    assert urlsplit(urls["postgres"]).hostname is None
    assert urlsplit(urls["redis"]).scheme == "unix"
