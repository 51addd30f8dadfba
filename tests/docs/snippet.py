"""Run the snippets of README and docs: Python blocks, and console blocks against their output.

In a console block a line `$ command` is run by a shell in a folder of the document's own, with this
environment's programs; what it prints must equal the lines below it, where `...` stands for
anything. A block that cannot run in a test (an installation) is marked `text` instead.
"""

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

ROOT = Path(__file__).parents[2]
TIMEOUT = 90


def collector() -> Callable[..., Any]:
    """Return pytest's hook that collects the documents."""
    hook: Callable[..., Any] = Sybil(
        parsers=[
            PythonCodeBlockParser(),
            CodeBlockParser(language="console", evaluator=evaluate_console),
        ],
        path=str(ROOT),
        patterns=["README.md", "docs/**/*.md"],
        fixtures=["document_folder"],
    ).pytest()
    return hook


def evaluate_console(example: Example) -> str | None:
    """Run each command of the block; return what differs."""
    folder: Path = example.namespace["document_folder"]
    for command, expected in commands(example.parsed):
        printed = run(command, folder)
        if not matches(expected, printed):
            return f"$ {command}\nexpected:\n{expected}\nprinted:\n{printed}"
    return None


def commands(block: str) -> list[tuple[str, str]]:
    """Return the commands of a block, each with the output that follows it."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    split = (part.partition("\n") for part in parts)
    return [(command, expected) for command, _, expected in split]


def run(command: str, folder: Path) -> str:
    """Run one command as a reader would; the port of the docs becomes one that is free here."""
    port = os.environ["RIGHTSTORE_PORT"]
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("8008", port)],
        cwd=folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return done.stdout.replace(port, "8008")


def matches(expected: str, printed: str) -> bool:
    """Tell whether the output is as documented; blank lines and runs of blanks do not count."""
    tidy = [
        "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
        for text in (expected, printed)
    ]
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(f"{tidy[0]}\n", f"{tidy[1]}\n", options)
