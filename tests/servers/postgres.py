"""PostgreSQL from Debian with a streaming replica; the user of the URLs may do everything.

Tests that break a replica make one of their own with `POSTGRES_BIN` and `pg_basebackup`.
"""

import signal
from pathlib import Path

from tests.servers.folder import account, write
from tests.servers.port import free_ports
from tests.servers.process import attempt, finish
from tests.servers.report import SetupError
from tests.servers.run import Environment, Run, password

USER = DATABASE = "rightstore"
ACCESS = """\
host all         all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""
# A replica that a test delays must find its log still there.
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = logical
wal_keep_size = 512MB
max_connections = 200
max_wal_senders = 20
max_replication_slots = 20
password_encryption = scram-sha-256
hot_standby = on
wal_receiver_status_interval = 1s
log_min_messages = warning
"""


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server that is installed."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((one.parent for one in found), key=lambda one: int(one.parent.name), default=None)


async def start(run: Run) -> Environment:
    """Start the two and return how to reach them."""
    server = Server(run)
    await server.primary()
    await server.replica()
    return server.environment()


class Server:
    """A primary and its replica."""

    def __init__(self, run: Run) -> None:
        found = programs()
        if found is None:
            raise SetupError("PostgreSQL is not installed below /usr/lib/postgresql")
        self._run = run
        self._programs = found
        self._account = account("postgres")
        self._folder = run.folder.place("postgres", account=self._account)
        self._password = password()
        self._secret = {"PGPASSWORD": self._password, "PGCONNECT_TIMEOUT": "5"}
        self._port, self._replica_port = free_ports(2)

    async def primary(self) -> None:
        """Make and start the primary, with an empty database."""
        data = self._folder / "data"
        secret = write(self._folder / "password", self._password, account=self._account)
        command = self._program("initdb", "--pgdata", str(data), "--username", USER)
        command += ["--pwfile", str(secret), "--auth", "scram-sha-256"]
        command += ["--encoding", "UTF8", "--locale", "C.UTF-8"]
        await finish(command, account=self._account)
        (data / "pg_hba.conf").write_text(ACCESS)
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        await self._start("postgres", data, self._port, "select true")
        create = self._query(self._port, f"create database {DATABASE}")
        await finish(create, env=self._secret)

    async def replica(self) -> None:
        """Copy the primary and start the copy as its streaming replica."""
        data = self._folder / "replica"
        command = self._program("pg_basebackup", "--pgdata", str(data), "--write-recovery-conf")
        command += ["--host", "127.0.0.1", "--port", str(self._port), "--username", USER]
        command += ["--wal-method", "stream", "--checkpoint", "fast"]
        await finish(command, account=self._account, env=self._secret)
        streams = "select exists (select from pg_stat_wal_receiver where status = 'streaming')"
        await self._start("postgres-replica", data, self._replica_port, streams)

    def environment(self) -> Environment:
        """Return what tests need: the URLs, and where programs and data are."""
        url = f"postgresql://{USER}:{self._password}@127.0.0.1"
        return {
            "POSTGRES_URL": f"{url}:{self._port}/{DATABASE}",
            "POSTGRES_REPLICA_URL": f"{url}:{self._replica_port}/{DATABASE}",
            "POSTGRES_BIN": str(self._programs),
            "POSTGRES_DATA": str(self._folder / "data"),
            "POSTGRES_REPLICA_DATA": str(self._folder / "replica"),
        }

    async def _start(self, name: str, data: Path, port: int, question: str) -> None:
        command = self._program("postgres", "-D", str(data), "-p", str(port))
        child = await self._run.processes.start(
            name, command, account=self._account, stop=signal.SIGQUIT
        )

        async def answers() -> bool:
            return await attempt(self._query(port, question), env=self._secret) == (0, "t\n")

        await self._run.processes.ready(child, answers)

    def _query(self, port: int, statement: str) -> list[str]:
        command = self._program("psql", "--no-psqlrc", "-At", "-h", "127.0.0.1", "-p", str(port))
        return [*command, "-U", USER, "-d", "postgres", "-c", statement]

    def _program(self, name: str, *arguments: str) -> list[str]:
        return [str(self._programs / name), *arguments]
