"""Ports of our own, chosen when a server starts. It reserves nothing: it only looks."""

import secrets
import socket
from contextlib import ExitStack

# Below the range from which Linux takes the local ports of outgoing connections.
LOWEST, HIGHEST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Return that many different ports on which nobody listens, on any address."""
    with ExitStack() as held:
        return [_hold(held) for _ in range(count)]


def _hold(held: ExitStack) -> int:
    """Bind a free port until the stack is left, so that no number is given twice."""
    for _ in range(HIGHEST - LOWEST):
        taken = held.enter_context(socket.socket())
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        try:
            taken.bind(("", port))
        except OSError:
            continue
        return port
    raise OSError(f"no free port from {LOWEST} to {HIGHEST}")
