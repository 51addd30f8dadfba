"""The reference pages name exactly what the code has."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from rightstore.cli.main import app
from rightstore.settings import GROUPS, STORES, Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_every_setting_is_documented_and_no_other() -> None:
    text = (REFERENCE / "settings.md").read_text("utf-8")
    table = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]

    documented = {name for cell in table for name in re.findall(r"`([A-Z_]+)`", cell)}
    for store in STORES[1:]:
        documented |= {f"{store.upper()}_TIMEOUT", f"{store.upper()}_CONNECT_TIMEOUT"}

    groups = [GROUPS[field.name] for field in fields(Settings)]
    real = {group.variable(name) for group in groups for name in group.model_fields}
    assert documented - {"OTEL_EXPORTER_OTLP_ENDPOINT"} == real


def test_every_command_is_documented_and_no_other() -> None:
    text = (REFERENCE / "cli.md").read_text("utf-8").partition("## Exit codes")[0]

    documented = re.findall(r"^\| `([a-z]+)", text, re.MULTILINE)

    commands = [command.name for command in app.registered_commands]
    groups = [group.name for group in app.registered_groups]
    assert set(documented) == {*commands, *groups}


def test_the_snippets_are_collected_when_no_path_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-k", "README"],
        cwd=REFERENCE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(re.findall(r"^README.md::line", done.stdout, re.MULTILINE)) >= 7
