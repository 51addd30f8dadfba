"""A mongod is used in place of the server from the wheel: its flags, its first start, its kind.

No mongod can be had from a package registry: a script stands in for it, and turns its flags into
those of the other server. It cannot show that a real one accepts them.
"""

from pathlib import Path
from typing import Any

import pymongo
import pytest

from rightstore.embedded.binary import find_document_servers

pytestmark = pytest.mark.embedded

SCRIPT = """#!/bin/sh
[ "$1" = --version ] && exit 0
echo "asked: $*"
auth=
while [ $# -gt 0 ]; do
    case $1 in
        --port) port=$2 ;;
        --dbpath) folder=$2 ;;
        --bind_ip) host=$2 ;;
        --auth) auth=--auth ;;
    esac
    shift
done
exec {server} --config "$folder/../secantusd.toml" --host "$host" --port "$port" \
    --storage-path "$folder" --log-file-max 64MB --sync-on-commit $auth
"""


@pytest.fixture
def mongod(tmp_path: Path) -> Path:
    server = next(each for each in find_document_servers(None) if each.kind == "secantusdb")
    path = tmp_path / "mongod"
    path.write_text(SCRIPT.format(server=" ".join(server.argv)))
    path.chmod(0o755)
    return path


def test_a_mongod_is_locked_with_a_key_once_our_user_exists(
    start: Any, begin: Any, tmp_path: Path, mongod: Path
) -> None:
    home = tmp_path / "home"

    running = start(home, "mongodb", RIGHTSTORE_DOCUMENT_SERVER=str(mongod))

    with pymongo.MongoClient[Any](running.urls()["mongodb"]) as client:
        client.shop.canary.insert_one({})
    with (
        pymongo.MongoClient[Any](port=running.port("mongodb")) as stranger,
        pytest.raises(pymongo.errors.OperationFailure),
    ):
        stranger.shop.canary.find_one()
    opened, locked = (
        line for line in running.home.log("mongodb").read_text().splitlines() if "asked" in line
    )
    data, key = running.home.documents / "data", running.home.documents / "key"
    for line in (opened, locked):
        assert f"--bind_ip 127.0.0.1 --dbpath {data}" in line
        assert "--replSet rightstore" in line
    assert "--auth" not in opened
    assert f"--auth --keyFile {key}" in locked


def test_its_data_are_not_opened_by_another_server(
    start: Any, begin: Any, tmp_path: Path, mongod: Path
) -> None:
    home = tmp_path / "home"
    running = start(home, "mongodb", RIGHTSTORE_DOCUMENT_SERVER=str(mongod))
    running.process.terminate()
    running.process.wait(60)

    later = begin(home, "mongodb")

    assert later.process.wait(60) == 2
    assert "holds data of mongod" in later.complaint()
