"""What a server gets to start with: its folder, and a way to start processes."""

import secrets
from dataclasses import dataclass

from tests.servers.folder import RunFolder
from tests.servers.process import Processes

Environment = dict[str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the servers."""

    folder: RunFolder
    processes: Processes


def password() -> str:
    """Return a new random password, of letters and digits so that it fits into every URL."""
    return secrets.token_hex(16)
