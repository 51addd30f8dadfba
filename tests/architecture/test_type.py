"""Every name that users may import has a type that a checker need not guess.

It asks pyright about the whole package and judges the public rooms; the rest mypy holds strict.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PUBLIC = (
    "clock",
    "codec",
    "errors",
    "ids",
    "model",
    "ports",
    "settings",
    "testing",
    "web.application",
)
PYRIGHT = Path(sys.executable).parent / "pyright"


def incomplete() -> list[str]:
    """Return the public symbols whose type is unknown or ambiguous."""
    done = subprocess.run(
        [PYRIGHT, "--verifytypes", "rightstore", "--ignoreexternal", "--outputjson"],
        capture_output=True,
        text=True,
        check=False,
        # It looks for the package where the first python of the path looks.
        env={**os.environ, "PATH": f"{PYRIGHT.parent}{os.pathsep}{os.environ['PATH']}"},
    )
    symbols = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    assert symbols, "pyright does not find the package"
    rooms = tuple(f"rightstore.{room}." for room in PUBLIC)
    return [
        symbol["name"]
        for symbol in symbols
        if symbol["isExported"]
        and not (symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"])
        and (symbol["name"].startswith(rooms) or symbol["name"].count(".") == 1)
    ]


def test_every_public_name_has_a_known_type() -> None:
    assert incomplete() == []
