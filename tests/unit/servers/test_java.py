"""Which Java is found."""

from pathlib import Path

import pytest
from tests.servers import java
from tests.servers.report import SetupError


def make_java(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin/java").touch()
    (home / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n')
    return home


def test_the_newest_java_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = [make_java(tmp_path / name, name) for name in ("1.8.0_402", "17.0.15", "25", "21-ea")]
    monkeypatch.setattr(java, "_homes", lambda: iter(homes))

    assert java.newest() == (25, tmp_path / "25")


def test_a_java_that_is_too_old_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = make_java(tmp_path / "old", "11.0.2")
    monkeypatch.setattr(java, "_homes", lambda: iter([old]))

    assert not java.is_here()
    with pytest.raises(SetupError, match="JAVA_HOME"):
        java.newest()
