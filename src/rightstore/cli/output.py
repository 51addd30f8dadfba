"""How the command line speaks: data on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import IO

from rich.console import Console
from rich.table import Table

WIDE = 240
COLOURS = {
    "ok": "green",
    "running": "green",
    "degraded": "yellow",
    "warning": "yellow",
    "starting": "yellow",
    "fallback": "cyan",
    "down": "red",
    "error": "red",
}


def console(stream: IO[str]) -> Console:
    """Return a console that neither cuts lines nor colours them unless a person is watching."""
    width = None if stream.isatty() else WIDE
    return Console(file=stream, width=width, highlight=False, soft_wrap=True, emoji=False)


def busy(what: str) -> AbstractContextManager[object]:
    """Show a person that something is being done, for as long as it takes."""
    if not sys.stderr.isatty():
        return nullcontext()
    return console(sys.stderr).status(f"{what} …")


def say(text: str) -> None:
    """Tell the person something that is not data: progress, advice."""
    # Whoever listened may be gone, or the disk full: what we do matters more than what we say.
    with suppress(OSError):
        console(sys.stderr).print(text, markup=False)


def print_line(text: str) -> None:
    """Print a line of data."""
    console(sys.stdout).print(text, markup=False)


def print_json(value: object) -> None:
    """Print data for a program."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(head: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    """Print data for a person; known states have a colour."""
    screen = console(sys.stdout)
    table = Table(*head, box=None, pad_edge=False, show_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    screen.print(table)


def _cell(text: str | None) -> str:
    shown = (text if text is not None else "-").replace("[", "\\[")
    colour = COLOURS.get(shown)
    return f"[{colour}]{shown}[/{colour}]" if colour else shown
