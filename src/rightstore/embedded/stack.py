"""The embedded stack: one supervising process that starts the servers, keeps them up, stops them.

It decides neither which stores are wanted nor how to talk to a store: both are given to it.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from rightstore.clock import SYSTEM, Clock
from rightstore.embedded import document, postgres, redis
from rightstore.embedded.address import keep_ports, socket_path
from rightstore.embedded.binary import SERVERS, DocumentServer, find_postgres, find_redis
from rightstore.embedded.home import Home, take_lock, trouble
from rightstore.embedded.identity import Identity, choose
from rightstore.embedded.secret import Secrets
from rightstore.embedded.site import Hands, Site
from rightstore.embedded.state import STOP_WITHIN, Phase, State, end_recorded, write_state
from rightstore.errors import (
    NotConfiguredError,
    RejectedError,
    RightstoreError,
    UnsupportedError,
    UsageError,
)
from rightstore.failpoint import failpoint
from rightstore.runtime.process import sweep
from rightstore.runtime.supervisor import Program, Supervisor, end
from rightstore.telemetry.alarm import DISK_LOW, Alarms

logger = structlog.get_logger(__name__)

LOW_BYTES = 512 * 1024 * 1024
DISK_PERIOD = 30.0
# A server may have a lot to recover; a program that takes this long for its start is ill.
SERVER_WITHIN, PROGRAM_WITHIN = 600.0, 60.0
# What the supervisor needs besides the graces of those that it stops.
STOP_MARGIN = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall run: servers for these stores, and then further programs, such as the web edge."""

    wanted: frozenset[str]
    programs: tuple[Program, ...] = ()
    document_server: Path | None = None


class Stack:
    """The servers and programs of one home folder, and the alarms about them."""

    def __init__(
        self,
        home: Home,
        plan: Plan,
        hands: Hands,
        *,
        clock: Clock = SYSTEM,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.alarms = Alarms(clock, self._changed)
        self._home = home
        self._plan = plan
        self._hands = hands
        self._clock = clock
        self._report = report
        self._phase: Phase = "starting"
        self._since = clock.now()
        self._notes: list[str] = []
        self._servers = Supervisor(clock, self.alarms, self._changed)
        self._programs = Supervisor(clock, self.alarms, self._changed)

    async def run(
        self, stopping: asyncio.Event, started: Callable[[], None] = lambda: None
    ) -> None:
        """Start everything, call `started`, keep it up until `stopping` is set, and stop it.

        Raises UsageError or StoreError, in one line with the remedy, when it cannot be started.
        When this returns or raises, no process of it is left.
        """
        if sys.platform != "linux":
            raise UnsupportedError(
                f"the embedded servers need Linux, this is {sys.platform}: set POSTGRES_URL, "
                "MONGODB_URL and REDIS_URL to the URLs of servers"
            )
        self._home.prepare()
        lock = await take_lock(self._home, self._clock)
        try:
            failpoint("home-made")
            await end_recorded(self._home, self._clock)
            self._enter("starting")
            with trouble(self._home.path):
                await self._live(stopping, started)
        finally:
            os.close(lock)

    def state(self) -> State:
        """Return how everything is now."""
        programs = (*self._servers.conditions(), *self._programs.conditions())
        sounding, notes = self.alarms.sounding(), tuple(self._notes)
        within = self._stop_within()
        return State(os.getpid(), self._phase, self._since, programs, sounding, notes, within)

    def _stop_within(self) -> float:
        """Return how long a stop may take: first the programs, side by side, then the servers."""
        graces = (program.command.grace for program in self._plan.programs)
        return max(STOP_WITHIN, max(graces, default=0.0) + self._servers.grace() + STOP_MARGIN)

    async def _live(self, stopping: asyncio.Event, started: Callable[[], None]) -> None:
        starting = asyncio.create_task(self._start())
        asked = asyncio.create_task(stopping.wait())
        watching = asyncio.create_task(self._watch_disk())
        try:
            await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                starting.result()
                self._enter("ready")
                started()
                await asked
        finally:
            try:
                self._enter("stopping")
                await end([starting, asked, watching])
            finally:
                await self._stop()

    async def _start(self) -> None:
        await self._sweep()
        site_of_servers = await self._settle()
        if site_of_servers is not None:
            await self._start_servers(*site_of_servers)
        for program in self._plan.programs:
            await self._timed(program)

    async def _settle(self) -> tuple[Site, DocumentServer | None] | None:
        """Find out what is run as whom and where, and write down what is to be kept."""
        if not self._plan.wanted:
            return None
        home = self._home
        identity, document_server = await self._choose()
        passwords = Secrets.read_or_make(home, lambda: has_data(home))
        failpoint("secrets-written")
        stores = self._plan.wanted - ({"mongodb"} if document_server is None else set())
        ports = keep_ports(home, stores)
        failpoint("ports-written")
        with trouble(home.run):
            shutil.rmtree(home.run, ignore_errors=True)
        identity.make(home.run)
        if socket_path(home, "postgres", ports.get("postgres", 0)) is None:
            self._note(
                f"{home.run} is too long for Unix sockets, or has a comma or a quote: TCP only"
            )
        site = Site(home, ports, passwords, identity, self._hands, self._clock, self._report)
        return site, document_server

    async def _choose(self) -> tuple[Identity, DocumentServer | None]:
        """Return whom to run the servers as, and the first document server that runs here."""
        trials = []
        if "postgres" in self._plan.wanted:
            trials.append((str(find_postgres() / "postgres"), "--version"))
        if "redis" in self._plan.wanted:
            trials.append((str(find_redis()), "--version"))
        if "mongodb" in self._plan.wanted:
            for server in document.find(self._home, self._plan.document_server):
                with suppress(NotConfiguredError):
                    trial = [*trials, server.trial]
                    return await choose(self._home, trial, self._clock), server
            document.refuse_fallback(self._home, self._plan.document_server)
            self._note(document.ABSENT)
        return await choose(self._home, trials, self._clock), None

    async def _start_servers(self, site: Site, document_server: DocumentServer | None) -> None:
        """Start them side by side; the first failure ends the attempt."""
        try:
            async with asyncio.TaskGroup() as group:
                if "postgres" in self._plan.wanted:
                    group.create_task(self._start_postgres(site))
                if "redis" in self._plan.wanted:
                    group.create_task(self._start_redis(site))
                if document_server is not None:
                    group.create_task(self._start_documents(site, document_server))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _start_postgres(self, site: Site) -> None:
        await postgres.prepare(site)
        await self._timed(postgres.program(site))
        await postgres.finish(site)

    async def _start_redis(self, site: Site) -> None:
        redis.prepare(site)
        await self._timed(redis.program(site))

    async def _start_documents(self, site: Site, server: DocumentServer) -> None:
        documents = document.Documents(site, server)
        await documents.prepare()
        await self._timed(documents.program())

    async def _timed(self, program: Program) -> None:
        """Start one, under supervision, and say how long it took."""
        name, begin = program.command.name, self._clock.monotonic()
        is_ours = program in self._plan.programs
        supervisor = self._programs if is_ours else self._servers
        within = PROGRAM_WITHIN if is_ours else SERVER_WITHIN
        try:
            await supervisor.start(program, within=within, report=self._report)
        except RejectedError as error:
            raise RejectedError(
                f"{name} does not accept the password in {self._home.secrets}: restore the file "
                "that belongs to these data from a backup, or move both away",
                store=name,
                operation="start",
                outcome="not applied",
            ) from error
        self._report(f"{name}: ready in {self._clock.monotonic() - begin:.1f} s")

    async def _stop(self) -> None:
        """Stop what uses the servers before the servers."""
        try:
            await self._programs.stop()
        finally:
            await self._servers.stop()

    async def _sweep(self) -> None:
        for folder in (self._home.postgres, self._home.redis, self._home.documents):
            if left := await sweep(folder, self._clock, SERVERS):
                raise UsageError(
                    f"processes {', '.join(map(str, left))} work in {folder} and do not end: stop "
                    "them as their owner"
                )

    async def _watch_disk(self) -> None:
        while True:
            with suppress(OSError):
                free = self._home.free()
                if free < LOW_BYTES:
                    detail = f"{free // 1024 // 1024} MiB are left for {self._home.path}"
                    self.alarms.sound(DISK_LOW, "home", detail)
                else:
                    self.alarms.clear(DISK_LOW, "home")
            await self._clock.sleep(DISK_PERIOD)

    def _note(self, line: str) -> None:
        self._notes.append(line)
        self._report(line)
        self._changed()

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._since = self._clock.now()
        self._changed()

    def _changed(self) -> None:
        """Write the state down; if that fails the servers are no worse for it."""
        try:
            write_state(self._home, self.state())
        except (OSError, RightstoreError) as error:
            logger.warning("state not written", reason=str(error))


def has_data(home: Home) -> bool:
    """Tell whether there is anything that only the kept passwords open."""
    return postgres.data_folder(home).exists() or (home.documents / "owner-made").exists()
