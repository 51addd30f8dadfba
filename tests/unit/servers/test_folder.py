"""Folders: those of dead runs go, and those of living ones stay."""

import os
from pathlib import Path

import pytest
from tests.servers import folder
from tests.servers.folder import RunFolder


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIGHTSTORE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(folder, "SHARED", tmp_path)


def test_the_folder_of_a_dead_run_is_removed_by_the_next() -> None:
    dead = RunFolder()
    dead._lock.close()

    alive = RunFolder()

    assert not dead.path.exists()
    assert alive.path.exists()
    alive.remove()


def test_the_folder_of_a_living_run_stays() -> None:
    first = RunFolder()

    second = RunFolder()

    assert first.path.exists()
    first.remove()
    second.remove()
    assert not first.path.exists()


def test_a_folder_below_a_closed_one_cannot_be_entered_by_others(tmp_path: Path) -> None:
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)

    assert not folder.others_can_enter(tmp_path / "closed" / "inner")
    assert folder.others_can_enter(Path("/usr/bin"))


def test_root_works_where_the_users_of_the_servers_can_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(folder, "others_can_enter", lambda _folder: False)

    run = RunFolder()

    assert run.path.parent == tmp_path
    assert run.path.stat().st_mode & 0o777 == 0o755
    run.remove()


def test_a_file_of_a_server_is_closed_to_others(tmp_path: Path) -> None:
    file = folder.write(tmp_path / "secret", "x")

    assert file.stat().st_mode & 0o777 == 0o600
