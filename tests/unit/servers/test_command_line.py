"""The command line: what is understood and what is refused."""

import pytest
from tests.servers.__main__ import main, parse
from tests.servers.catalog import SERVERS


def test_all_servers_are_started_unless_some_are_named() -> None:
    assert parse(["up"]).only == list(SERVERS)
    assert parse(["up", "--only", "redis,postgres"]).only == ["postgres", "redis"]


def test_the_command_keeps_its_own_options() -> None:
    options = parse(["run", "--only=redis", "--", "pytest", "-n", "2", "--only", "x"])

    assert options.only == ["redis"]
    assert options.command == ["pytest", "-n", "2", "--only", "x"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "run|up|install"),
        (["start"], "invalid choice"),
        (["run"], "-- COMMAND"),
        (["up", "--only", "mysql"], "no server 'mysql'; there are postgres, redis"),
        (["up", "--only", ""], "no server ''"),
    ],
)
def test_a_wrong_command_line_is_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert complaint in capsys.readouterr().err


def test_help_names_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    assert end.value.code == 0
    assert "POSTGRES_REPLICA_DATA" in capsys.readouterr().out
