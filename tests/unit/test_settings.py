"""Settings: where values come from, what is refused, and that no secret is ever shown."""

import logging
import pickle
import traceback
from pathlib import Path

import pytest

from rightstore.errors import UsageError
from rightstore.settings import STORES, Settings, masked

CANARY = "canary-5f1c"
URLS = {
    "POSTGRES_URL": f"postgresql://app:{CANARY}@db.example:5432/shop?sslpassword={CANARY}",
    "MONGODB_URL": f"mongodb://app:{CANARY}@a.example:27017,b.example:27017/?replicaSet=rs0",
    "REDIS_URL": f"rediss://:{CANARY}@cache.example:6379/0",
    "DYNAMODB_URL": f"http://id:{CANARY}@127.0.0.1:8000?region=eu-west-1",
    "OPENSEARCH_URL": f"https://app:{CANARY}@search.example:9200",
    "RABBITMQ_URL": f"amqps://app:{CANARY}@bus.example/vhost",
}


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in (*URLS, "DB_POOL_MAX_SIZE", "DB_POOL_MIN_SIZE", "RIGHTSTORE_PORT"):
        monkeypatch.delenv(variable, raising=False)


def test_no_url_has_a_default() -> None:
    settings = Settings.load()

    assert [settings.url(store) for store in STORES] == [None] * 6


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("DB_POOL_MAX_SIZE=7\nRIGHTSTORE_PORT=9000\n")
    monkeypatch.setenv("DB_POOL_MAX_SIZE", "8")

    settings = Settings.load()

    shown = {setting.variable: (setting.value, setting.source) for setting in settings.effective()}
    assert shown["DB_POOL_MAX_SIZE"] == ("8", "environment")
    assert shown["RIGHTSTORE_PORT"] == ("9000", ".env")
    assert shown["DB_POOL_MIN_SIZE"] == ("2", "default")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_URL", "")

    assert Settings.load().url("postgres") is None


def test_every_wrong_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIGHTSTORE_PORT", "http")
    monkeypatch.setenv("POSTGRES_URL", "mysql://db.example/shop")

    with pytest.raises(UsageError) as caught:
        Settings.load()

    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("POSTGRES_URL is not a URL of this store")
    assert lines[1] == "RIGHTSTORE_PORT is 'http'; allowed: a port from 1 to 65535"


@pytest.mark.parametrize("variable", URLS)
def test_a_secret_is_shown_nowhere(
    variable: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(variable, URLS[variable])
    settings = Settings.load()

    logging.getLogger("canary").warning("settings: %s %r", settings, settings)
    shown = repr(settings) + str(settings) + repr(list(settings.effective())) + caplog.text

    assert CANARY not in shown
    assert CANARY in pickle.dumps(settings.of(variable.removesuffix("_URL").lower())).decode(
        "latin-1"
    )


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://app:{CANARY}@db.example:port/shop",
        f"postgresql://app:{CANARY}/x@db.example/shop",
        f"postgresql://app:12/{CANARY}@db.example/shop",
        f"postgresql://app:a@{CANARY}/x@db.example/shop",
        f"postgresql://app:{CANARY}#@db.example/shop",
        f"postgresql://app:{CANARY} @db.example/shop",
        f"mysql://app:{CANARY}@db.example/shop",
        f"{CANARY}",
    ],
)
def test_a_refused_url_does_not_leak_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_URL", url)

    with pytest.raises(UsageError) as caught:
        Settings.load()

    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u@h/d?sslmode=require", "postgresql://u@h/d?sslmode=require"),
        ("redis://:p@h:6379/0", "redis://:***@h:6379/0"),
        ("unix://:p@/run/redis.sock?db=0", "unix://:***@/run/redis.sock?db=0"),
        ("redis://token@h:6379/0", "redis://***@h:6379/0"),
        (
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:x&tls=true",
            "mongodb://h/?authMechanismProperties=***&tls=true",
        ),
        ("http://k:s@h:8000?region=eu", "http://k:***@h:8000?region=eu"),
    ],
)
def test_a_masked_url_keeps_what_is_not_secret(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_memory_reads_nothing_and_names_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, url in URLS.items():
        monkeypatch.setenv(variable, url)
    monkeypatch.setenv("RIGHTSTORE_PORT", "http")

    settings = Settings.memory()

    assert settings.is_memory
    assert [settings.url(store) for store in STORES] == [None] * 6


def test_embedded_keeps_every_setting_but_the_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_URL", URLS["POSTGRES_URL"])
    monkeypatch.setenv("DB_POOL_MAX_SIZE", "7")

    settings = Settings.embedded()

    assert not settings.is_memory
    assert settings.url("postgres") is None
    assert settings.postgres.pool_max == 7
