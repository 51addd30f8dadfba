"""`rightstore config`."""

from dataclasses import asdict

from rightstore.cli.option import AsJson
from rightstore.cli.output import print_json, print_table
from rightstore.settings import Settings
from rightstore.wiring import effective


def config(*, as_json: AsJson = False) -> None:
    """Print the effective settings, with secrets masked, and where each comes from."""
    found = effective(Settings.load())
    if as_json:
        print_json([asdict(setting) for setting in found])
        return
    print_table(
        ("variable", "value", "source"),
        ((setting.variable, setting.value, setting.source) for setting in found),
    )
