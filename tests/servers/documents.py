"""The MongoDB protocol: the server of the wheel, a `mongod`, or what `MONGODB_URL` names.

`RIGHTSTORE_DOCUMENT_SERVER` (or a `mongod` on the path) is used rather than the wheel.
"""

import os
import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from tests.servers.folder import write
from tests.servers.port import free_ports
from tests.servers.process import Probe
from tests.servers.report import SetupError
from tests.servers.run import Environment, Run, password

USER = "rightstore"
WHEEL = "secantusdb.scripts/secantusd-rs"
MISSING = (
    "the wheel of the MongoDB-protocol server is not installed: run `uv sync`, or set MONGODB_URL "
    "or RIGHTSTORE_DOCUMENT_SERVER"
)


async def start(run: Run) -> Environment:
    """Start one server with a user and return how to reach it, unless a URL is given."""
    given = os.environ.get("MONGODB_URL")
    if given:
        return {"MONGODB_URL": given}
    mongod = os.environ.get("RIGHTSTORE_DOCUMENT_SERVER") or shutil.which("mongod")
    (port,), secret = free_ports(1), password()
    folder = run.folder.place("mongodb")
    if mongod:
        await _mongod(run, mongod, folder, port=port, secret=secret)
    else:
        await _wheel(run, folder, port=port, secret=secret)
    return {"MONGODB_URL": _url(port, secret)}


async def _wheel(run: Run, folder: Path, *, port: int, secret: str) -> None:
    """Start the server twice: its users are made while it asks for none."""
    data = str(folder / "data")
    command = [*_program(), "--host", "127.0.0.1", "--port", str(port), "--storage-path", data]
    # Without the second flag it loses acknowledged writes when it is killed.
    command += ["--cache-size", "256M", "--sync-on-commit"]
    env = {"HOME": str(folder)}
    child = await run.processes.start("mongodb", command, env=env)
    await run.processes.ready(child, _is_primary(_url(port)))
    await _make_user(port, secret)
    await run.processes.end(child)
    child = await run.processes.start("mongodb", [*command, "--auth"], env=env)
    await run.processes.ready(child, _is_primary(_url(port, secret)))


def _program() -> list[str]:
    """Return the native server, or the one in Python of wheels for other machines."""
    native = Path(sysconfig.get_path("platlib"), WHEEL)
    if native.is_file():
        # With log files of the default size, 2 GB, its second start takes fifteen seconds.
        return [str(native), "--log-file-max", "64MB"]
    if find_spec("secantus") is None:
        raise SetupError(MISSING)
    return [sys.executable, "-m", "secantus"]


async def _mongod(run: Run, program: str, folder: Path, *, port: int, secret: str) -> None:
    """Start a replica set of one; its first user is made from this machine, without a password."""
    key = write(folder / "key", password())
    (folder / "data").mkdir()
    command = [program, "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"]
    command += ["--dbpath", str(folder / "data"), "--replSet", "rs0", "--keyFile", str(key)]
    child = await run.processes.start("mongodb", command)
    await run.processes.ready(child, _answers(_url(port)))
    members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
    await _admin(_url(port), "replSetInitiate", {"_id": "rs0", "members": members})
    await run.processes.ready(child, _is_primary(_url(port)))
    await _make_user(port, secret)
    await run.processes.ready(child, _is_primary(_url(port, secret)))


def _url(port: int, secret: str = "") -> str:
    address = f"127.0.0.1:{port}/?directConnection=true"
    return (
        f"mongodb://{USER}:{secret}@{address}&authSource=admin"
        if secret
        else f"mongodb://{address}"
    )


async def _make_user(port: int, secret: str) -> None:
    await _admin(_url(port), "createUser", USER, pwd=secret, roles=["root"])


def _answers(url: str) -> Probe:
    async def answers() -> bool:
        try:
            await _admin(url, "ping", 1)
        except PyMongoError:
            return False
        return True

    return answers


def _is_primary(url: str) -> Probe:
    async def is_primary() -> bool:
        try:
            return bool((await _admin(url, "hello", 1)).get("isWritablePrimary"))
        except PyMongoError:
            return False

    return is_primary


async def _admin(url: str, command: str, value: object, **options: Any) -> dict[str, Any]:
    """Ask once: a client that is kept would wait for what it has seen before."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, serverSelectionTimeoutMS=2000)
    async with client:
        return await client.admin.command(command, value, **options)
