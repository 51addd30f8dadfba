"""What this program says to a person, and the one error that ends it with a message."""

import sys


class SetupError(Exception):
    """A server cannot be had or does not come up: what happened and the remedy, no stack trace."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def say(line: str) -> None:
    """Write one line for a person; standard output stays free for the command that is run."""
    sys.stderr.write(f"servers: {line}\n")
    sys.stderr.flush()


def megabytes(size: int) -> str:
    """Return a size as a person reads it."""
    return f"{size / 1e6:.1f} MB"
