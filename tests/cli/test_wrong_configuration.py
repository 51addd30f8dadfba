"""Whatever is configured wrongly: one line that names it with the remedy, and the documented code.

It cannot catch what only a running stack shows (a server's port taken, a full disk).
"""

import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rightstore.cli.main import run
from rightstore.telemetry import log

NOTHING_LISTENS = "127.0.0.1:1"


@dataclass(frozen=True)
class Case:
    """What is set, what is run, and what must be said."""

    said: str
    env: dict[str, str] = field(default_factory=dict)
    run: str = "config"
    code: int = 2
    env_file: bytes | None = None


def url(variable: str, value: str, said: str) -> Case:
    return Case(f"{variable} is not a URL of this store: {said}", {variable: value})


CASES = [
    url("POSTGRES_URL", "mysql://u:p@h/d", "it must begin with postgresql:// or postgres://"),
    url("POSTGRES_URL", "localhost", "it must begin with postgresql://"),
    url("POSTGRES_URL", "postgresql://u:p@h:99999/d", "its port is not a number from 1 to 65535"),
    url("POSTGRES_URL", "postgresql://u:p@h:db/d", "its port is not a number"),
    url("POSTGRES_URL", "postgresql://u:p@h:0/d", "its port is not a number from 1"),
    url("POSTGRES_URL", "postgresql://", "it names no host"),
    url("POSTGRES_URL", "postgresql://u:p @h/d", "it contains white space"),
    url(
        "POSTGRES_URL",
        "postgresql://u:p@x/y@h/d",
        "a special character in its user or password is not percent-encoded",
    ),
    url("MONGODB_URL", "http://h:27017", "it must begin with mongodb:// or mongodb+srv://"),
    url("REDIS_URL", "redis:", "it names no host"),
    url("DYNAMODB_URL", "dynamodb.eu-west-1.amazonaws.com", "it must begin with http://"),
    url("OPENSEARCH_URL", "https://h:0", "its port is not a number"),
    url("RABBITMQ_URL", "amqp5://h", "it must begin with amqp:// or amqps://"),
    Case("DB_POOL_MIN_SIZE is '-1'; allowed: a number from 0", {"DB_POOL_MIN_SIZE": "-1"}),
    Case("DB_POOL_MAX_SIZE is '0'; allowed: a number from 1", {"DB_POOL_MAX_SIZE": "0"}),
    Case("DB_POOL_MAX_SIZE is 'many'; allowed: a number", {"DB_POOL_MAX_SIZE": "many"}),
    Case("less than DB_POOL_MIN_SIZE (20)", {"DB_POOL_MIN_SIZE": "20"}),
    Case("POSTGRES_TIMEOUT is '0'; allowed: seconds", {"POSTGRES_TIMEOUT": "0"}),
    Case("REDIS_CONNECT_TIMEOUT is 'soon'; allowed", {"REDIS_CONNECT_TIMEOUT": "soon"}),
    Case("RIGHTSTORE_PORT is '0'; allowed: a port from 1", {"RIGHTSTORE_PORT": "0"}),
    Case("RIGHTSTORE_PORT is 'http'; allowed", {"RIGHTSTORE_PORT": "http"}),
    Case("RIGHTSTORE_BODY_LIMIT is 'lots'; allowed: a size", {"RIGHTSTORE_BODY_LIMIT": "lots"}),
    Case("RIGHTSTORE_REQUEST_TIMEOUT is '-5'", {"RIGHTSTORE_REQUEST_TIMEOUT": "-5"}),
    Case("RIGHTSTORE_GRACE is 'forever'; allowed: seconds", {"RIGHTSTORE_GRACE": "forever"}),
    Case("RIGHTSTORE_LOG_LEVEL is 'loud'; allowed: debug", {"RIGHTSTORE_LOG_LEVEL": "loud"}),
    Case("RIGHTSTORE_LOG_FORMAT is 'xml'; allowed: auto", {"RIGHTSTORE_LOG_FORMAT": "xml"}),
    Case(
        "RIGHTSTORE_DOCUMENT_SERVER is '/nowhere/mongod' (no program is there)",
        {"RIGHTSTORE_DOCUMENT_SERVER": "/nowhere/mongod"},
    ),
    Case(".env line 2 is not NAME=value: correct it", env_file=b"A=1\nwhat is this\n"),
    Case(".env cannot be read (UnicodeDecodeError)", env_file=b"A=\xff\xfe\n"),
    Case("there is no application 'nosuch'", run="serve nosuch"),
    Case("there is no module nosuch_module", run="serve nosuch_module:app"),
    Case("there is no application 'nosuch'", run="up nosuch"),
    Case("there is no module nosuch_module", run="up nosuch_module:app --detach"),
    Case("json has no nosuch", run="serve json:nosuch"),
    Case("run `rightstore up`, or set POSTGRES_URL", run="serve"),
    Case("No such command 'upp'", run="upp"),
    Case("No such option: --colour", run="status --colour"),
    Case(
        "Invalid value for '--port': Input should be less than or equal to 65535",
        run="up --port 70000",
    ),
    Case(
        "postgres at 127.0.0.1:1 cannot be reached",
        {"POSTGRES_URL": f"postgresql://u:p@{NOTHING_LISTENS}/d"},
        run="doctor",
        code=3,
    ),
]


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in an empty folder, with no variable of ours set."""
    for variable in ("POSTGRES_URL", "MONGODB_URL", "REDIS_URL", "DYNAMODB_URL", "OPENSEARCH_URL"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("RABBITMQ_URL", "RIGHTSTORE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    # The commands sent all logs of this process to a stream that ends with the test.
    log.configure(stream=sys.__stderr__)


def rightstore(arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["rightstore", *arguments.split()])
    with pytest.raises(SystemExit) as ended:
        run()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    "case", CASES, ids=[f"{i}: {case.said[:50]}" for i, case in enumerate(CASES)]
)
def test_a_wrong_configuration_is_told_in_one_line(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable, text in case.env.items():
        monkeypatch.setenv(variable, text)
    if case.env_file is not None:
        Path(".env").write_bytes(case.env_file)

    code = rightstore(case.run, monkeypatch)

    out, err = capsys.readouterr()
    lines = [line for line in (err or out).splitlines() if case.said in line]
    assert code == case.code
    assert len(lines) == 1, (out, err)
    assert "Traceback" not in out + err
    if case.code == 2:
        assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("alone")
def test_a_home_that_is_a_file_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("home").write_text("")
    monkeypatch.setenv("RIGHTSTORE_HOME", "home")

    code = rightstore("up", monkeypatch)

    assert code == 2
    assert "is a file" in capsys.readouterr().err


@pytest.mark.usefixtures("alone")
def test_a_port_that_is_taken_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code = rightstore(f"up --port {port}", monkeypatch)

    assert code == 2
    assert str(port) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def half(:\n", "line 1: mend it"),
        ("import nosuch_dependency\n", "No module named 'nosuch_dependency': install it"),
    ],
)
@pytest.mark.usefixtures("alone")
def test_a_module_that_cannot_be_imported_is_told(
    source: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("rightstore_broken.py").write_text(source)
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path.cwd())])

    code = rightstore("check rightstore_broken:app", monkeypatch)

    assert code == 2
    assert told in capsys.readouterr().err


@pytest.mark.usefixtures("alone")
def test_commands_without_a_command_are_their_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = rightstore("schema", monkeypatch)

    assert code == 2
    assert "error" not in capsys.readouterr().err


def test_there_are_thirty_cases() -> None:
    assert len(CASES) >= 30
