"""Packages that are missing: an ordinary user is told what to run."""

import os
import shutil

import pytest
from tests.servers import package
from tests.servers.__main__ import main
from tests.servers.catalog import PRESENT
from tests.servers.report import SetupError


@pytest.fixture(autouse=True)
def ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")


def test_an_ordinary_user_gets_one_line_with_the_command() -> None:
    wanted = {"redis-server": lambda: False, "here": lambda: True, "postgresql": lambda: False}

    with pytest.raises(SetupError) as failure:
        package.have(wanted)

    assert failure.value.code == 2
    assert str(failure.value) == (
        "not installed; run: sudo apt-get update && "
        "sudo apt-get install -y --no-install-recommends postgresql redis-server"
    )


def test_without_apt_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)

    with pytest.raises(SetupError, match=r"not installed: maven") as failure:
        package.have({"maven": lambda: False})

    assert failure.value.code == 2


def test_nothing_is_done_when_all_is_here() -> None:
    package.have({"postgresql": lambda: True})


def test_the_program_ends_with_that_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PRESENT, "redis-server", lambda: False)

    code = main(["install", "--only", "redis"])

    assert code == 2
    assert capsys.readouterr().err == (
        "servers: not installed; run: sudo apt-get update && "
        "sudo apt-get install -y --no-install-recommends redis-server\n"
    )
