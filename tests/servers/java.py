"""Finds the Java that the two servers in Java run on. It installs nothing."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.servers.report import SetupError

LEAST = 17


def newest() -> tuple[int, Path]:
    """Return the version and the home of the newest Java."""
    found = max(((_version(home), home) for home in _homes()), default=None)
    if found is None or found[0] < LEAST:
        raise SetupError(f"no Java {LEAST} or later here: install one, or set JAVA_HOME")
    return found


def is_here() -> bool:
    """Say whether there is a Java that is new enough."""
    return any(_version(home) >= LEAST for home in _homes())


def _homes() -> Iterator[Path]:
    named = os.environ.get("JAVA_HOME")
    if named:
        yield Path(named)
    program = shutil.which("java")
    if program:
        yield Path(program).resolve().parents[1]
    yield from Path("/usr/lib/jvm").glob("*/")


def _version(home: Path) -> int:
    """Return the feature version that the home itself names: 0 when it has no Java."""
    release = home / "release"
    if not (home / "bin/java").is_file() or not release.is_file():
        return 0
    for line in release.read_text(errors="replace").splitlines():
        name, _, value = line.partition("=")
        if name == "JAVA_VERSION":
            return int(value.strip('"').partition(".")[0].partition("-")[0])
    return 0
