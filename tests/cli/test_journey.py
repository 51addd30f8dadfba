"""What a person does with the command line, in the order of a first day, on real servers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rightstore.embedded.address import choose, is_free
from rightstore.runtime.process import leftovers
from rightstore.settings import STORES

APPLICATION = """
from fastapi import FastAPI
from rightstore.web import Application

api = FastAPI()
greeting = Application("greeting", api, "/hello")
other = Application("other", FastAPI(), "/hello")
text = "not a program"

@api.get("/{name}")
async def hello(name: str) -> dict[str, str]:
    return {"hello": name}
"""
PORT = choose(set())


class Person:
    """Somebody in a folder of their own, with nothing configured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / ".rightstore"
        unset = {"RIGHTSTORE_HOME", *(f"{store.upper()}_URL" for store in STORES)}
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        self.environment = kept | {"RIGHTSTORE_PORT": str(PORT)}

    def runs(self, *arguments: str, code: int = 0) -> str:
        """Run one command, see it end with this code, and return all that it said."""
        done = subprocess.run(
            [sys.executable, "-m", "rightstore", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == code, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    person = Person(tmp_path_factory.mktemp("person"))
    (person.folder / "mine.py").write_text(APPLICATION)
    person.runs("up", "mine:greeting", "--detach")
    yield person
    person.runs("down")


def test_up_says_what_it_does_and_where_it_serves(tmp_path: Path) -> None:
    person = Person(tmp_path)
    port = choose({PORT})

    said = person.runs("up", "--detach", "--port", str(port))

    person.runs("down")
    assert re.search(r"postgres: ready in \d", said)
    assert f"http://127.0.0.1:{port} answers /live, /ready and /metrics" in said
    assert leftovers(person.home) == []
    assert is_free(port)


def test_the_web_server_answers_with_three_stores(person: Person) -> None:
    answer = httpx.get(f"http://127.0.0.1:{PORT}/ready")

    stores = answer.json()["stores"]
    assert answer.status_code == 200
    assert {name: one["status"] for name, one in stores.items()} == {
        "postgres": "ok",
        "mongodb": "ok",
        "redis": "ok",
    }


def test_the_named_application_answers_at_its_own_path(person: Person) -> None:
    answer = httpx.get(f"http://127.0.0.1:{PORT}/hello/world")

    assert answer.json() == {"hello": "world"}


def test_status_shows_stores_processes_and_fallbacks(person: Person) -> None:
    found = json.loads(person.runs("status", "--json"))

    assert found["status"] == "ok"
    assert {store: one["status"] for store, one in found["stores"].items()} == {
        "postgres": "ok",
        "mongodb": "ok",
        "redis": "ok",
        "dynamodb": "fallback",
        "opensearch": "fallback",
        "rabbitmq": "fallback",
    }
    assert {one["name"] for one in found["stack"]["programs"]} == {
        "postgres",
        "mongodb",
        "redis",
        "web",
    }


def test_doctor_finds_nothing_wrong(person: Person) -> None:
    found = json.loads(person.runs("doctor", "--json"))

    assert [finding for finding in found if finding["level"] != "ok"] == []


def test_a_second_up_says_that_it_runs_already(person: Person) -> None:
    said = person.runs("up", code=2)

    assert said.startswith("error: already running (pid ")
    assert len(said.splitlines()) == 1


def test_no_password_is_shown_by_any_command_or_log(person: Person) -> None:
    secrets = json.loads((person.home / "secrets.json").read_text()).values()

    shown = [
        person.runs(*command.split())
        for command in ("status", "status --json", "config", "config --json", "doctor", "version")
    ]
    shown += [log.read_text() for log in (person.home / "logs").iterdir()]
    shown.append((person.home / "state.json").read_text())

    assert len(list(secrets)) >= 4
    assert [secret for secret in secrets if any(secret in text for text in shown)] == []


def test_config_names_the_embedded_server_as_the_source(person: Person) -> None:
    found = {one["variable"]: one for one in json.loads(person.runs("config", "--json"))}

    assert found["POSTGRES_URL"]["source"] == "embedded"
    assert found["POSTGRES_URL"]["value"].startswith("postgresql://rightstore:***@")
    assert found["RIGHTSTORE_PORT"]["source"] == "environment"


def test_nothing_is_coloured_without_a_terminal(person: Person) -> None:
    assert "\x1b[" not in person.runs("status") + person.runs("--help")


@pytest.mark.parametrize(
    ("apps", "said"),
    [
        (("mine:greeting", "mine:other"), "greeting and other are both mounted at /hello"),
        (("mine:text",), "is not an ASGI program but str"),
        (("mine:nothing",), "mine has no nothing"),
    ],
)
def test_an_application_that_cannot_be_served_is_told(
    person: Person, apps: tuple[str, ...], said: str
) -> None:
    printed = person.runs("serve", *apps, "--port", str(choose({PORT})), code=2)

    assert said in printed
    assert len(printed.splitlines()) == 1


def test_a_taken_port_is_told(person: Person) -> None:
    printed = person.runs("serve", "--port", str(PORT), code=2)

    assert f"port {PORT} of 127.0.0.1 is taken" in printed


def test_version_tells_all_parts(person: Person) -> None:
    found = json.loads(person.runs("version", "--json"))

    assert found["rightstore"]
    assert found["python"].startswith("3.")


def test_status_shows_the_alarm_of_a_store_given_by_url(tmp_path: Path) -> None:
    person = Person(tmp_path)
    person.environment["POSTGRES_URL"] = "postgresql://u:p@127.0.0.1:1/d"

    said = person.runs("status", code=3)

    assert "alarm store-unavailable (postgres): postgres at 127.0.0.1:1" in said


def test_without_a_stack_status_and_down_say_so(tmp_path: Path) -> None:
    person = Person(tmp_path)

    assert "`rightstore up` starts one" in person.runs("status", code=3)
    assert "nothing was running" in person.runs("down")
