import stat
from pathlib import Path

import pytest

from rightstore.embedded.home import Home
from rightstore.embedded.secret import Secrets
from rightstore.errors import UsageError


def test_passwords_are_made_once_and_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)

    made = Secrets.read_or_make(home, lambda: False)

    assert Secrets.read_or_make(home, lambda: True) == made
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o600
    assert Secrets() != made


def test_passwords_are_never_shown() -> None:
    made = Secrets()

    assert made.redis not in repr(made)
    assert repr(made) == "Secrets()"


def test_passwords_need_no_quoting_in_a_url() -> None:
    made = Secrets()

    assert all(
        set(word) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
        for word in (made.postgres_admin, made.postgres_owner, made.redis, made.mongodb_owner)
    )
    assert made.mongodb_key.isalnum()


def test_lost_passwords_are_not_replaced_where_there_are_data(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="restore it from a backup"):
        Secrets.read_or_make(Home(tmp_path), lambda: True)

    assert not Home(tmp_path).secrets.exists()


def test_an_incomplete_file_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.secrets.write_text('{"redis": "x"}')

    with pytest.raises(UsageError, match="lacks 'postgres_admin'"):
        Secrets.read(home)
