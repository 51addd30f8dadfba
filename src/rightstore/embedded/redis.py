"""The embedded Redis: its configuration, password inside, and how it is run. It starts nothing."""

from pathlib import Path

from rightstore.embedded.address import HOST, redis_url, socket_path
from rightstore.embedded.binary import SERVERS, find_redis
from rightstore.embedded.home import trouble, write
from rightstore.embedded.site import PROBE_TIMEOUT, Site, answers, environment
from rightstore.ports.connection import Target
from rightstore.runtime.process import Command
from rightstore.runtime.supervisor import Program


def prepare(site: Site) -> None:
    """Write the configuration: on a command line everybody could read the password."""
    site.identity.make(site.home.redis)
    path = configuration_file(site)
    with trouble(path):
        write(path, configuration(site))
        site.identity.own(path)


def configuration_file(site: Site) -> Path:
    """Return where the configuration is."""
    return site.home.redis / "redis.conf"


def configuration(site: Site) -> str:
    """Return the settings of a cache: bounded in memory, the least used goes first.

    It is never a system of record, so losing the last second to a power cut is allowed.
    """
    port = site.ports["redis"]
    socket = socket_path(site.home, "redis", port)
    lines = [
        f"bind {HOST}",
        "protected-mode yes",
        f"port {port}",
        f"requirepass {site.secrets.redis}",
        f"dir {_quoted(site.home.redis)}",
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory 256mb",
        "maxmemory-policy allkeys-lru",
        "daemonize no",
        'logfile ""',
    ]
    if socket is not None:
        lines += [f"unixsocket {_quoted(socket)}", "unixsocketperm 700"]
    return "\n".join(lines) + "\n"


def program(site: Site) -> Program:
    """Return how the server is run; what it has acknowledged survives a kill, so none is gentle."""
    port, folder = site.ports["redis"], site.home.redis
    command = Command(
        "redis",
        (str(find_redis()), str(configuration_file(site))),
        folder,
        site.home.log("redis"),
        user=site.identity.launch,
        environment=environment(folder),
        private=SERVERS,
    )
    url = redis_url(site.home, port, site.secrets.redis)
    target = Target("redis", url, PROBE_TIMEOUT, PROBE_TIMEOUT)
    return Program(command, answers(site, target, port))


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
