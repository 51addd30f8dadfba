"""The servers by name: what each needs, and what starts it."""

import shutil
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tests.servers import documents, dynamodb, java, opensearch, package, postgres, rabbitmq, redis
from tests.servers.download import fetch, known
from tests.servers.folder import cache
from tests.servers.run import Environment, Run


@dataclass(frozen=True, slots=True)
class Server:
    """How to have a server and how to start it."""

    start: Callable[[Run], Awaitable[Environment]]
    packages: tuple[str, ...] = ()
    artifacts: Callable[[], list[str]] = list


JAVA = "default-jre-headless"
PRESENT: dict[str, package.IsHere] = {
    "postgresql": lambda: postgres.programs() is not None,
    "redis-server": lambda: shutil.which("redis-server") is not None,
    "rabbitmq-server": rabbitmq.PROGRAM.exists,
    JAVA: java.is_here,
}
SERVERS = {
    "postgres": Server(postgres.start, ("postgresql",)),
    "redis": Server(redis.start, ("redis-server",)),
    "redis-cluster": Server(redis.start_cluster, ("redis-server",)),
    "rabbitmq": Server(rabbitmq.start, ("rabbitmq-server",)),
    "opensearch": Server(opensearch.start, (JAVA,), opensearch.artifacts),
    "dynamodb": Server(dynamodb.start, (JAVA,), dynamodb.artifacts),
    "mongodb": Server(documents.start),
}


async def install(names: Iterable[str]) -> None:
    """Have everything that these servers need, checked."""
    servers = [SERVERS[name] for name in names]
    package.have({name: PRESENT[name] for one in servers for name in one.packages})
    await fetch((path for one in servers for path in one.artifacts()), cache(), known())
