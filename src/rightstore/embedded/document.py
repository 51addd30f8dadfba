"""The embedded document server: SecantusDB, or a mongod where there is one; and how it is run.

Both make users only while they let everybody in: the first start is open, on loopback, until our
user exists, which a file marks. What is left: a local user who watches for it (`ss` shows the port)
can make a user of his own in those seconds, and nothing here would notice.
"""

from dataclasses import dataclass
from pathlib import Path

from rightstore.embedded.address import DATABASE, HOST, USER, choose, mongodb_url
from rightstore.embedded.binary import INSTALL, SERVERS, DocumentServer, find_document_servers
from rightstore.embedded.home import MOVE, Home, trouble, write
from rightstore.embedded.site import PROBE_TIMEOUT, Site, answers, environment
from rightstore.errors import NotConfiguredError, UsageError
from rightstore.failpoint import failpoint
from rightstore.ports.bootstrap import Owner
from rightstore.ports.connection import Target
from rightstore.runtime.process import Command, Process
from rightstore.runtime.supervisor import Program, until_ready

REPLICA_SET = "rightstore"
START_WITHIN = 60.0
ABSENT = (
    "mongodb: no document server can be had here, documents live in PostgreSQL (for one: "
    f"{INSTALL}, or set MONGODB_URL or RIGHTSTORE_DOCUMENT_SERVER)"
)


def find(home: Home, given: Path | None) -> list[DocumentServer]:
    """Return the servers that can read the data of this home, the preferred first.

    None at all is no error while there are no data: then documents live in PostgreSQL.
    """
    found = find_document_servers(given)
    kind = kind_of_data(home)
    if kind is None:
        return found
    fitting = [server for server in found if server.kind == kind]
    if fitting:
        return fitting
    if found:
        raise UsageError(
            f"{home.documents} holds data of {kind}, not of {found[0].argv[0]}: remove "
            f"RIGHTSTORE_DOCUMENT_SERVER to go on with {kind}, {MOVE}"
        )
    raise NotConfiguredError(
        f"{home.documents} holds data of {kind}, which is not installed any more: {INSTALL}, or "
        "install a mongod; to do without these data, move the folder away"
    )


def refuse_fallback(home: Home, given: Path | None) -> None:
    """Raise when documents may not live in PostgreSQL: a server was named, or has data."""
    if given is not None or kind_of_data(home) is not None:
        raise NotConfiguredError(
            f"the document server {given or kind_of_data(home)} does not run here "
            f"({home.log('trial')} says why): correct it, or set MONGODB_URL to the URL of a server"
        )


def kind_of_data(home: Home) -> str | None:
    """Return which kind of server the data were written by."""
    with trouble(home.documents):
        try:
            return (home.documents / "kind").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None


@dataclass(frozen=True, slots=True)
class Documents:
    """The document server of one site."""

    site: Site
    server: DocumentServer

    @property
    def folder(self) -> Path:
        """Its folder; the data are in one below."""
        return self.site.home.documents

    async def prepare(self) -> None:
        """Make the folder and, while the server is open, our user; a crash on the way is healed."""
        self.site.identity.make(self.folder)
        self.site.identity.make(self.folder / "data")
        with trouble(self.folder):
            write(self.folder / "kind", self.server.kind)
            write(self._file("secantusd.toml"), "")
            write(self._file("key"), self.site.secrets.mongodb_key)
            for name in ("secantusd.toml", "key"):
                self.site.identity.own(self._file(name))
        failpoint("documents-folder-made")
        if not self._file("owner-made").exists():
            self.site.report("mongodb: initialising")
            await self._make_owner()
            failpoint("documents-owner-made")
            with trouble(self.folder):
                write(self._file("owner-made"), "")
            failpoint("documents-owner-marked")

    def program(self) -> Program:
        """Return how it is run: locked."""
        port = self.site.ports["mongodb"]
        target = self._target(port, self.site.secrets.mongodb_owner)
        return Program(self._command(port, locked=True), answers(self.site, target, port))

    async def _make_owner(self) -> None:
        port = self._open_port()
        target = self._target(port, None)
        command = self._command(port, locked=False)
        process = await Process.start(command, self.site.clock)
        try:
            probe = answers(self.site, target, port)
            await until_ready(process, probe, self.site.clock, START_WITHIN)
            owner = Owner(DATABASE, USER, self.site.secrets.mongodb_owner)
            await self.site.hands.bootstrap(target, owner)
        finally:
            await process.stop(self.site.clock)

    def _open_port(self) -> int:
        """Return a port that is in no file; a replica set is initiated with the one it keeps."""
        kept = self.site.ports
        return kept["mongodb"] if self.server.kind == "mongod" else choose(set(kept.values()))

    def _target(self, port: int, password: str | None) -> Target:
        return Target("mongodb", mongodb_url(port, password), PROBE_TIMEOUT, PROBE_TIMEOUT)

    def _command(self, port: int, *, locked: bool) -> Command:
        flags = self._mongod(locked) if self.server.kind == "mongod" else self._secantus(locked)
        return Command(
            "mongodb",
            (*self.server.argv, "--port", str(port), *flags),
            self.folder,
            self.site.home.log("mongodb"),
            user=self.site.identity.launch,
            environment=environment(self.folder),
            private=SERVERS | {Path(self.server.argv[0]).resolve().name}
            if self.server.kind == "mongod"
            else SERVERS,
            # A mongod that is a replica set waits for fifteen seconds before it ends.
            grace=30.0 if self.server.kind == "mongod" else 10.0,
        )

    def _secantus(self, locked: bool) -> tuple[str, ...]:
        """Return its flags; without the sync it loses acknowledged writes when it is killed."""
        return (
            *("--config", str(self._file("secantusd.toml")), "--host", HOST),
            *("--storage-path", str(self.folder / "data"), "--cache-size", "256M"),
            *("--sync-on-commit", *self.server.flags, *(["--auth"] if locked else [])),
        )

    def _mongod(self, locked: bool) -> tuple[str, ...]:
        """Return its flags; a replica set with users needs a key, even with one member."""
        return (
            *("--bind_ip", HOST, "--dbpath", str(self.folder / "data")),
            *("--wiredTigerCacheSizeGB", "0.25", "--replSet", REPLICA_SET),
            *(("--auth", "--keyFile", str(self._file("key"))) if locked else ()),
        )

    def _file(self, name: str) -> Path:
        return self.folder / name
