"""The embedded PostgreSQL: make its data folder, and say how it is run. It supervises nothing."""

import shutil
import signal
from dataclasses import replace
from pathlib import Path

from rightstore.embedded.address import ADMIN, DATABASE, HOST, USER, postgres_url, socket_path
from rightstore.embedded.binary import POSTGRES_MAJOR, SERVERS, find_postgres
from rightstore.embedded.home import MOVE, Home, sync_folder, trouble, write
from rightstore.embedded.site import PROBE_TIMEOUT, Site, answers, environment
from rightstore.errors import UnavailableError, UsageError
from rightstore.failpoint import failpoint
from rightstore.ports.bootstrap import Owner
from rightstore.ports.connection import Target
from rightstore.runtime.process import Command, run
from rightstore.runtime.supervisor import Program

SETTINGS = (
    "max_connections=100",
    "shared_buffers=128MB",
    "timezone=UTC",
    "log_timezone=UTC",
    # Statements and the details of an error hold user data: the client gets them, the log does not.
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_parameter_max_length_on_error=0",
)


def data_folder(home: Home) -> Path:
    """Return where the data are."""
    return home.postgres / str(POSTGRES_MAJOR)


async def prepare(site: Site) -> None:
    """Make the data folder unless there is one; what a crash left unfinished is dropped."""
    refuse_other_versions(site.home)
    site.identity.make(site.home.postgres)
    data = data_folder(site.home)
    if data.exists():
        forget_dead_server(data)
        return
    site.report("postgres: initialising")
    unfinished = data.with_suffix(".new")
    password = site.home.postgres / "password"
    with trouble(site.home.postgres):
        shutil.rmtree(unfinished, ignore_errors=True)
        write(password, site.secrets.postgres_admin)
        site.identity.own(password)
    try:
        await _initialise(site, unfinished, password)
    finally:
        password.unlink(missing_ok=True)
    failpoint("initdb-done")
    with trouble(data):
        unfinished.rename(data)
        sync_folder(site.home.postgres)
    failpoint("initdb-renamed")


def refuse_other_versions(home: Home) -> None:
    """Raise when the data were written by another major version."""
    for marker in home.postgres.glob("*/PG_VERSION"):
        with trouble(marker):
            version = marker.read_text(encoding="ascii", errors="replace").strip()
        if version != str(POSTGRES_MAJOR) and marker.parent.suffix != ".new":
            raise UsageError(
                f"{marker.parent} holds data of PostgreSQL {version}, the embedded server is "
                f"{POSTGRES_MAJOR}: dump it with pg_dumpall of version {version}, move the folder "
                f"away and load the dump, {MOVE}"
            )


def forget_dead_server(data: Path) -> None:
    """Remove the pid file of a server that is gone.

    Nobody else can be running it: we hold the lock of the home folder, and have ended whatever
    worked in this one. PostgreSQL itself would refuse to start if the pid belonged to somebody new.
    """
    with trouble(data):
        (data / "postmaster.pid").unlink(missing_ok=True)


def program(site: Site) -> Program:
    """Return how the server is run."""
    port = site.ports["postgres"]
    has_socket = socket_path(site.home, "postgres", port) is not None
    settings = {
        "port": str(port),
        "listen_addresses": HOST,
        "unix_socket_directories": f'"{site.home.run}"' if has_socket else "",
        "unix_socket_permissions": "0700",
    }
    argv = [str(find_postgres() / "postgres"), "-D", str(data_folder(site.home))]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    return Program(_command(site, "postgres", argv), answers(site, admin(site), port))


def admin(site: Site) -> Target:
    """Return the server as its superuser sees it."""
    port, password = site.ports["postgres"], site.secrets.postgres_admin
    url = postgres_url(site.home, port, ADMIN, password, database="postgres")
    return Target("postgres", url, PROBE_TIMEOUT, PROBE_TIMEOUT)


async def finish(site: Site) -> None:
    """Create the database and its owner; it costs little and heals what a crash left half done."""
    owner = Owner(DATABASE, USER, site.secrets.postgres_owner)
    await site.hands.bootstrap(admin(site), owner)
    failpoint("postgres-owner-made")


async def _initialise(site: Site, folder: Path, password: Path) -> None:
    argv = [str(find_postgres() / "initdb"), "--pgdata", str(folder), "--username", ADMIN]
    argv += ["--auth", "scram-sha-256", "--pwfile", str(password), "--data-checksums"]
    argv += ["--encoding", "UTF8", "--locale", "C"]
    argv += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    for setting in SETTINGS:
        argv += ["--set", setting]
    command = replace(_command(site, "initdb", argv), death_signal=signal.SIGKILL)
    code, words = await run(command, site.clock)
    if code != 0:
        raise UnavailableError(
            f"PostgreSQL's data folder cannot be made in {site.home.postgres}: {words} (the log is "
            f"{command.log})",
            store="postgres",
            operation="start",
            outcome="not applied",
        )


def _command(site: Site, name: str, argv: list[str]) -> Command:
    folder = site.home.postgres
    return Command(
        name,
        tuple(argv),
        folder,
        site.home.log(name),
        user=site.identity.launch,
        environment=environment(folder),
        private=SERVERS,
        # Fast shutdown. When we die: at once, since only that is bounded in time, and recovery
        # takes care of the rest.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGQUIT,
        grace=20.0,
    )
