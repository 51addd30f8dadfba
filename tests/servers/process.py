"""Starts processes that end with this program, and stops them by process id.

Each is told by the kernel when this program dies, however it dies. That signal belongs to the
thread that started it, so everything is started from the main thread, which outlives the others.
"""

import asyncio
import os
import pwd
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rightstore.clock import SYSTEM
from tests.servers.report import SetupError, say

GRACE = 15.0
DEADLINE = 180
TAIL = 25
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Who was killed before the kernel was asked to tell of it is the parent no more.
UNLESS_DEAD = 'test "$PPID" = "$0" && exec "$@"'
Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Child:
    """A server process, with the log it writes and the signal that stops it."""

    name: str
    process: Process
    log: Path
    stop: signal.Signals


class Processes:
    """The processes of one run. Their environment is ours to say: nothing is inherited."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []

    async def start(
        self,
        name: str,
        command: list[str],
        *,
        account: str | None = None,
        env: Mapping[str, str] | None = None,
        stop: signal.Signals = signal.SIGTERM,
    ) -> Child:
        """Start a server in a session of its own, so that Ctrl-C reaches only this program."""
        # Nobody waits then, and a server that is still starting may not listen to a polite signal.
        last = signal.SIGKILL if stop is signal.SIGTERM else stop
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *bound(command, account=account, last=last),
                env=environment(env),
                cwd="/",
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            )
        child = Child(name, process, log, stop)
        self._children.append(child)
        return child

    async def ready(self, child: Child, probe: Probe) -> None:
        """Return when the server answers; raise with the end of its log when it ends or is late."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not await probe():
                    if (code := child.process.returncode) is not None:
                        end = tail(child.log)
                        raise SetupError(f"{child.name} ended at start (exit code {code}){end}")
                    await SYSTEM.sleep(0.1)
        except TimeoutError:
            end = tail(child.log)
            raise SetupError(f"{child.name} does not answer after {DEADLINE} s{end}") from None

    async def stop(self) -> None:
        """Stop all of them, politely first, and wait until they are gone."""
        for child in self._children:
            if child.process.returncode is not None:
                say(f"{child.name} had ended by itself (exit code {child.process.returncode})")
        await asyncio.gather(*(self.end(child) for child in tuple(self._children)))

    async def end(self, child: Child) -> None:
        """Stop one server with all that it started in its session."""
        with suppress(ProcessLookupError):
            child.process.send_signal(child.stop)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await child.process.wait()
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        await child.process.wait()
        self._children.remove(child)


async def finish(
    command: list[str], *, account: str | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Run a command of a few seconds to its end and return what it wrote."""
    code, output = await attempt(command, account=account, env=env)
    if code:
        raise SetupError(f"{Path(command[0]).name} failed (exit code {code}):\n{output.strip()}")
    return output


async def attempt(
    command: list[str], *, account: str | None = None, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command of a few seconds and return its exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *bound(command, account=account, last=signal.SIGKILL),
        env=environment(env),
        cwd="/",
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return process.returncode or 0, output.decode(errors="replace")


def bound(command: list[str], *, account: str | None, last: signal.Signals) -> list[str]:
    """Return the command as another user, and with the signal it gets when this program dies."""
    prefix = ["setpriv", "--pdeathsig", last.name.removeprefix("SIG")]
    if account is not None:
        user = pwd.getpwnam(account)
        prefix += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*prefix, "--", "sh", "-c", UNLESS_DEAD, str(os.getpid()), *command]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what a server sees: no variable of ours may change how it behaves."""
    return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", **(extra or {})}


def tail(log: Path) -> str:
    """Return the end of a log, as an addition to a message."""
    lines = log.read_text(errors="replace").splitlines()[-TAIL:]
    return "; the end of its log:\n" + "\n".join(lines) if lines else "; its log is empty"
