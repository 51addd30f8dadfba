"""Port `connection`: to reach one store at all. It reads and writes no records."""

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, urlsplit

from rightstore.errors import UsageError


@dataclass(frozen=True, slots=True)
class Target:
    """Where a store is and how patiently to talk to it; the URL, a secret, is never shown."""

    store: str
    url: str = field(repr=False)
    connect_timeout: float = 5.0
    timeout: float = 10.0
    pool_min: int = 1
    pool_max: int = 10
    # How long a change of structure waits for a lock that others hold, each time it tries.
    lock_timeout: float = 3.0
    # How long a statement about tables may take before the server ends it.
    statement_timeout: float = 2.0

    @property
    def address(self) -> str:
        """Where the server is, fit for a message: hosts and ports or a socket, never a secret."""
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return ""
        if parts.scheme == "unix":
            return parts.path
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        hosts = parts.netloc.rpartition("@")[2]
        return hosts or ":".join(query[name] for name in ("host", "port") if name in query)

    @property
    def is_local(self) -> bool:
        """Whether the way to the server stays within this machine: loopback or a socket."""
        return all(_is_local(host) for host in self.address.split(","))

    def parts(self, *schemes: str) -> SplitResult:
        """Return the URL in its parts, or raise a UsageError that quotes none of it."""
        complaint = _complaint(self.url, self.address, schemes)
        if complaint:
            raise UsageError(f"{self.store.upper()}_URL is not a URL of {self.store}: {complaint}")
        return urlsplit(self.url)


@dataclass(frozen=True, slots=True)
class Pong:
    """A store's answer: which version serves, and how long the round trip took in seconds."""

    version: str
    latency: float


class Connection(Protocol):
    """One store, connected: created without I/O, opened once, closed once."""

    @property
    def store(self) -> str:
        """The name of the store: postgres, mongodb, redis, dynamodb, opensearch or rabbitmq."""
        ...

    async def open(self) -> None:
        """Connect, with authentication done: afterwards `ping` is one round trip.

        Raises UnavailableError (no server there), DeadlineError (no answer within the connect
        timeout) or RejectedError (it refuses the user, the password, the database or the protocol).
        After a failure nothing stays open and `open` may be called again.
        """
        ...

    async def ping(self) -> Pong:
        """Ask the server, in one round trip, whether it serves.

        Holds for the server that answers now: after a restart of the server the next `ping` reaches
        the new one without a new `open`. Raises StoreError with the outcome "not applied"; no
        exception of a driver leaves it.
        """
        ...

    async def close(self) -> None:
        """Let go of every socket within the timeout, even if the server is silent; twice is ok."""
        ...


def _complaint(url: str, address: str, schemes: tuple[str, ...]) -> str | None:
    scheme = url.partition("://")[0]
    if scheme not in schemes:
        return f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if not address.partition(":")[0] and not address.startswith("["):
        return "it names no host"
    if scheme != "unix" and not all(_is_port(host) for host in address.split(",")):
        return (
            "its port is not a number from 1 to 65535 (a special character in the user or the "
            "password must be percent-encoded)"
        )
    return None


def _is_port(host: str) -> bool:
    """Say whether the port of this host is one, or is left out."""
    try:
        return urlsplit(f"//{host}").port != 0
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    name = host if host.startswith("/") else urlsplit(f"//{host}").hostname or ""
    return name in ("localhost", "::1") or name.startswith(("/", "127."))
