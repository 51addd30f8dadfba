"""What every embedded server is started with: its folders, its secrets, its user, and our hands."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rightstore.clock import Clock
from rightstore.embedded.address import HOST
from rightstore.embedded.home import Home
from rightstore.embedded.identity import Identity
from rightstore.embedded.secret import Secrets
from rightstore.errors import UnavailableError
from rightstore.ports.bootstrap import Owner
from rightstore.ports.connection import Pong, Target

PROBE_TIMEOUT = 5.0


class Hands(Protocol):
    """Who talks to the servers for us: the stack may not import an adapter."""

    async def ping(self, target: Target) -> Pong:
        """Connect, ask once whether the server serves, disconnect; StoreError when it does not."""
        ...

    async def bootstrap(self, target: Target, owner: Owner) -> None:
        """Create the owner and its database, again if need be."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """The circumstances of one start."""

    home: Home
    ports: Mapping[str, int]
    secrets: Secrets
    identity: Identity
    hands: Hands
    clock: Clock
    report: Callable[[str], None]


def environment(folder: Path) -> dict[str, str]:
    """Return the few variables that a server gets: none of ours, among which are secrets."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C",
        "TZ": "UTC",
    }


def answers(site: Site, target: Target, port: int) -> Callable[[], Awaitable[None]]:
    """Return a probe that knocks first, which costs nothing, and then asks the server itself."""

    async def probe() -> None:
        try:
            async with asyncio.timeout(3 * PROBE_TIMEOUT):
                _, writer = await asyncio.open_connection(HOST, port)
                writer.close()
                await site.hands.ping(target)
        except OSError as error:  # a timeout is one as well
            raise UnavailableError(
                f"nothing answers on port {port}", store=target.store, operation="start"
            ) from error

    return probe
