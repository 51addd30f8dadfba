"""Redis from Debian: one alone, and a cluster of three masters with a replica each.

Nothing is written to disk unless a test asks for it with CONFIG SET.
"""

import re

from tests.servers.folder import write
from tests.servers.port import free_ports
from tests.servers.process import Child, Probe, attempt, finish
from tests.servers.run import Environment, Run, password

NODES = 6
SETTINGS = """\
bind 127.0.0.1
port {port}
dir {folder}
requirepass {password}
masterauth {password}
save ""
"""
# Long enough for a machine that is busy with the other servers.
CLUSTERED = """\
cluster-enabled yes
cluster-port {bus}
cluster-node-timeout 5000
"""
# Of a master whose replica is there, and of a replica whose master is.
LINKED = r"state=online|master_link_status:up"


async def start(run: Run) -> Environment:
    """Start one server and return how to reach it."""
    (port,), secret = free_ports(1), password()
    child = await _server(run, "redis", SETTINGS, port=port, password=secret)
    await run.processes.ready(child, _answers(port, secret, "PING", "PONG"))
    return {"REDIS_URL": f"redis://:{secret}@127.0.0.1:{port}/0"}


async def start_cluster(run: Run) -> Environment:
    """Start six, make them a cluster, and return how to reach it."""
    ports, secret = free_ports(2 * NODES), password()
    nodes = dict(zip(ports[:NODES], ports[NODES:], strict=True))
    children: dict[int, Child] = {}
    for port, bus in nodes.items():
        children[port] = await _server(
            run, f"redis-cluster-{port}", SETTINGS + CLUSTERED, port=port, bus=bus, password=secret
        )
    await _all_answer(run, children, secret, question="PING", expected="PONG")
    addresses = [f"127.0.0.1:{port}@{bus}" for port, bus in nodes.items()]
    command = ["redis-cli", "--cluster", "create", *addresses, "--cluster-replicas", "1"]
    await finish([*command, "--cluster-yes"], env={"REDISCLI_AUTH": secret})
    await _all_answer(run, children, secret, question="CLUSTER INFO", expected="cluster_state:ok")
    await _all_answer(run, children, secret, question="INFO replication", expected=LINKED)
    return {"REDIS_CLUSTER_URL": f"redis://:{secret}@127.0.0.1:{ports[0]}?cluster=true"}


async def _all_answer(
    run: Run, children: dict[int, Child], secret: str, *, question: str, expected: str
) -> None:
    for port, child in children.items():
        await run.processes.ready(child, _answers(port, secret, question, expected))


async def _server(
    run: Run, name: str, settings: str, *, port: int, password: str, bus: int = 0
) -> Child:
    folder = run.folder.place(name)
    text = settings.format(port=port, folder=folder, password=password, bus=bus)
    file = write(folder / "redis.conf", text)
    return await run.processes.start(name, ["redis-server", str(file)])


def _answers(port: int, secret: str, question: str, expected: str) -> Probe:
    """Return a probe that asks, and looks for a pattern in the answer."""
    command = ["redis-cli", "-h", "127.0.0.1", "-p", str(port), *question.split()]

    async def answers() -> bool:
        _, output = await attempt(command, env={"REDISCLI_AUTH": secret})
        return re.search(expected, output) is not None

    return answers
