"""`rightstore up` and `rightstore down`."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from rightstore.cli.option import Apps, Host, Port
from rightstore.cli.output import busy, say
from rightstore.embedded.home import Home
from rightstore.embedded.stack import Plan, Stack
from rightstore.embedded.state import read_state, stop
from rightstore.errors import UsageError
from rightstore.runtime.answer import answers_http
from rightstore.runtime.detach import Herald, start_detached
from rightstore.runtime.machine import examine_port
from rightstore.runtime.process import Command
from rightstore.runtime.supervisor import Program
from rightstore.settings import STORES, Settings
from rightstore.telemetry import log
from rightstore.wiring import Hands, check_applications, installed_applications, not_started

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}

INTERRUPTED = 130
# Without -P a file of the user's in this folder could stand in for one that we import.
PROGRAM = (sys.executable, "-P", "-m", "rightstore")
# What the web process may take after its last request: to stop its applications, to send traces.
AFTER_GRACE = 10.0

Detach = Annotated[bool, typer.Option("--detach", "-d", help="Go on in the background.")]
StoresOnly = Annotated[bool, typer.Option("--stores-only", help="Start the stores, no web server.")]
ReadyFd = Annotated[int | None, typer.Option(hidden=True)]


def up(
    apps: Apps = None,
    *,
    host: Host = None,
    port: Port = None,
    detach: Detach = False,
    stores_only: StoresOnly = False,
    ready_fd: ReadyFd = None,
) -> None:
    """Start the embedded stores that no URL replaces, serve on top, and look after all of it."""
    settings = Settings.load()
    check_applications(apps or ())
    home = Home(settings.stack.home)
    if detach:
        _detach(home)
        return
    address = None if stores_only else (host or settings.web.host, port or settings.web.port)
    herald = Herald(ready_fd)
    log.configure(settings.log.log_format, settings.log.log_level, sys.stderr)
    _refuse_if_running(home)
    programs = () if address is None else (_web(home, settings, apps or (), address),)
    plan = Plan(not_started(settings), programs, settings.stack.document_server)

    def report(line: str) -> None:
        say(line)
        herald.report(line)

    began = asyncio.Event()

    def started() -> None:
        began.set()
        for line in _summary(settings, address, apps or installed_applications()):
            report(line)
        stops = "`rightstore down`" if ready_fd is not None else "Ctrl-C or `rightstore down`"
        report(f"up: `rightstore status` shows it, {stops} stops it")
        herald.ready()

    asyncio.run(_run(Stack(home, plan, Hands(), report=report), started))
    if not began.is_set():
        say("interrupted before everything was up: what had been started is stopped")
        raise typer.Exit(INTERRUPTED)


def down() -> None:
    """Stop what `rightstore up` started in this folder; the data stay."""
    home = Home(Settings.load().stack.home)
    with busy("stopping"):
        stopped = asyncio.run(stop(home, report=say))
    say("stopped" if stopped else f"nothing was running in {home.path}")


async def _run(stack: Stack, started: Callable[[], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A terminal that closes is ignored where `nohup` said so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stopping.set)
    await stack.run(stopping, started)


def _refuse_if_running(home: Home) -> None:
    state = read_state(home)
    if state is not None:
        raise UsageError(
            f"already running (pid {state.pid}) in {home.path}: `rightstore status` shows it, "
            "`rightstore down` stops it"
        )


def _web(home: Home, settings: Settings, apps: Sequence[str], address: tuple[str, int]) -> Program:
    """Return the web server as a program to supervise: an ordinary `rightstore serve`."""
    host, port = address
    found = examine_port(host, port)
    if found.level != "ok":
        raise UsageError(f"{found.message}: {found.remedy}")
    serve = ("serve", *apps, "--host", host, "--port", str(port))
    command = Command(
        "web",
        (*PROGRAM, *serve),
        folder=Path.cwd(),
        log=home.log("web"),
        # When we die at once, nobody is left to see that it stops: so it does not ask for time.
        death_signal=signal.SIGKILL,
        grace=settings.web.grace + AFTER_GRACE,
    )
    return Program(command, answers_http(ANYWHERE.get(host, host), port, "/live"))


def _summary(settings: Settings, address: tuple[str, int] | None, apps: Sequence[str]) -> list[str]:
    elsewhere = [store for store in STORES[3:] if settings.url(store) is None]
    lines = []
    if elsewhere:
        lines.append(f"{', '.join(elsewhere)}: not configured, PostgreSQL does their work")
    if address is not None:
        lines.append(f"applications: {', '.join(apps) or 'none yet'}")
        lines.append(f"http://{address[0]}:{address[1]} answers /live, /ready and /metrics")
    return lines


def _detach(home: Home) -> None:
    """Start the same command in the background, and stay until it is ready."""
    _refuse_if_running(home)
    home.prepare()
    given = [argument for argument in sys.argv[1:] if argument not in ("--detach", "-d")]
    said = home.log("up")
    code = start_detached([*PROGRAM, *given], said, say)
    if code is not None:
        say(said.read_text("utf-8", "replace").rstrip().rpartition("\n")[2])
        raise typer.Exit(code)
