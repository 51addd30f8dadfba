"""RabbitMQ from Debian, with a node name, ports, folders and a user of its own.

It starts the script of the package directly: the one on the path only runs as root or rabbitmq, in
the folders of the default server.
"""

from pathlib import Path

import aiormq
from aiormq.exceptions import AMQPError

from tests.servers.folder import account, write
from tests.servers.port import free_ports
from tests.servers.run import Environment, Run, password

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
USER = "rightstore"
SETTINGS = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
log.console = true
log.console.level = warning
log.file = false
"""
PLUGINS = "[rabbitmq_consistent_hash_exchange]."
# The schedulers of Erlang spin while they have nothing to do, and keep others from two cores.
QUIET = "+sbwt none +sbwtdcpu none +sbwtdio none"
LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"


async def start(run: Run) -> Environment:
    """Start the port mapper of Erlang and one node, and return how to reach it."""
    owner, secret = account("rabbitmq"), password()
    port, node_port, mapper_port = free_ports(3)
    folder = run.folder.place("rabbitmq", account=owner)
    files = {
        "rabbitmq.conf": SETTINGS.format(port=port, user=USER, password=secret),
        "plugins": PLUGINS,
        "environment.conf": "",
        ".erlang.cookie": password(),
    }
    for name, text in files.items():
        write(folder / name, text, account=owner)
    (folder / ".erlang.cookie").chmod(0o400)
    mapper = ["epmd", "-port", str(mapper_port), "-address", "127.0.0.1"]
    await run.processes.start("epmd", mapper, account=owner)
    node = await run.processes.start(
        "rabbitmq",
        [str(PROGRAM)],
        account=owner,
        env=_environment(folder, node_port=node_port, mapper_port=mapper_port),
    )
    url = f"amqp://{USER}:{secret}@127.0.0.1:{port}/%2F"

    async def answers() -> bool:
        return await _opens(url)

    await run.processes.ready(node, answers)
    return {"RABBITMQ_URL": url}


def _environment(folder: Path, *, node_port: int, mapper_port: int) -> Environment:
    return {
        "HOME": str(folder),
        # Any value: the script then becomes the node, so that its process id is the node's.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_CONF_ENV_FILE": str(folder / "environment.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_NODENAME": f"rightstore{node_port}@localhost",
        "RABBITMQ_DIST_PORT": str(node_port),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{QUIET} {LOOPBACK}",
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }


async def _opens(url: str) -> bool:
    """Log in and open a channel."""
    try:
        connection = await aiormq.connect(url)
    except (AMQPError, OSError):
        return False
    await connection.channel()
    await connection.close()
    return True
