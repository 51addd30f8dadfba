"""Where each embedded server listens: ports chosen once and kept, sockets where they can be."""

import json
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from rightstore.embedded.home import Home, read_json, trouble, write
from rightstore.embedded.secret import Secrets
from rightstore.errors import UsageError

HOST = "127.0.0.1"
# Below what the kernel hands out for outgoing connections, so that no client takes a kept port.
LOWEST, HIGHEST = 15000, 32000
LONGEST_SOCKET_PATH = 103
DATABASE = "rightstore"
USER = "rightstore"
ADMIN = "rightstore_admin"


def kept_ports(home: Home) -> dict[str, int]:
    """Return the ports that were chosen, by store; empty before the first start."""
    return {
        store: port
        for store, port in (read_json(home.ports) or {}).items()
        if isinstance(port, int)
    }


def keep_ports(home: Home, stores: Iterable[str]) -> dict[str, int]:
    """Return a port for each store, chosen once and kept; a kept one that is taken is an error."""
    kept = kept_ports(home)
    wanted = sorted(stores)
    for store in wanted:
        if store in kept and not is_free(kept[store]):
            raise UsageError(
                f"port {kept[store]}, kept for {store} in {home.ports}, is taken by another "
                f"program (`ss -ltnp 'sport = :{kept[store]}'` names it): stop that one, or delete "
                f"the entry {store!r} from the file to have another port chosen"
            )
    missing = [store for store in wanted if store not in kept]
    if missing:
        for store in missing:
            kept[store] = choose(set(kept.values()))
        with trouble(home.ports):
            write(home.ports, json.dumps(kept, indent=2) + "\n")
    return kept


def choose(taken: set[int]) -> int:
    """Return a port that is free now."""
    for _ in range(1000):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if port not in taken and is_free(port):
            return port
    raise UsageError(f"no port from {LOWEST} to {HIGHEST} is free on {HOST}: stop some servers")


def is_free(port: int) -> bool:
    """Tell whether a server could listen there now."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
    return True


def socket_path(home: Home, store: str, port: int) -> Path | None:
    """Return the Unix socket of a server; None when the path is too long or cannot be quoted."""
    name = f".s.PGSQL.{port}" if store == "postgres" else f"{store}.sock"
    path = home.run / name
    fits = len(bytes(path)) <= LONGEST_SOCKET_PATH and not set(str(path)) & set(",\"'")
    return path if fits else None


def urls(home: Home, kept: dict[str, int], passwords: Secrets) -> dict[str, str]:
    """Return the URL of each server as its owner uses it, password inside."""
    found = {}
    if "postgres" in kept:
        found["postgres"] = postgres_url(home, kept["postgres"], USER, passwords.postgres_owner)
    if "redis" in kept:
        found["redis"] = redis_url(home, kept["redis"], passwords.redis)
    if "mongodb" in kept:
        found["mongodb"] = mongodb_url(kept["mongodb"], passwords.mongodb_owner)
    return found


def postgres_url(
    home: Home, port: int, user: str, password: str, *, database: str = DATABASE
) -> str:
    """Return a URL of PostgreSQL for this user, through the socket when there is one."""
    if socket_path(home, "postgres", port) is None:
        return f"postgresql://{user}:{password}@{HOST}:{port}/{database}"
    folder = quote(str(home.run), safe="")
    return f"postgresql://{user}:{password}@/{database}?host={folder}&port={port}"


def redis_url(home: Home, port: int, password: str) -> str:
    """Return the URL of Redis, through the socket when there is one."""
    path = socket_path(home, "redis", port)
    if path is None:
        return f"redis://:{password}@{HOST}:{port}/0"
    return f"unix://:{password}@{quote(str(path))}?db=0"


def mongodb_url(port: int, password: str | None) -> str:
    """Return the URL of the document server; without a password for its first minute, unlocked."""
    user = f"{USER}:{password}@" if password else ""
    return f"mongodb://{user}{HOST}:{port}/?authSource=admin"
