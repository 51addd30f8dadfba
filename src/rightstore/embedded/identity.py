"""As whom the servers run. Never as root: PostgreSQL refuses it, the others have no need of it."""

import os
import pwd
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rightstore.clock import Clock
from rightstore.embedded.home import MOVE, Home, trouble
from rightstore.errors import NotConfiguredError, UsageError
from rightstore.runtime.launch import MAPPED
from rightstore.runtime.process import Command, ending, run

SERVICE_USERS = ("postgres", "nobody")
INSIDE = "65534:65534"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user to run servers as: ourselves, a service user, or root's files under another number."""

    uid: int
    gid: int
    launch: str = ""

    @property
    def is_service_user(self) -> bool:
        """Whether it is another user, who must be let into the home folder."""
        return bool(self.launch) and not self.launch.startswith(MAPPED)

    def admit(self, home: Home) -> None:
        """Let it, and nobody else unless needed, pass through the home folder."""
        with trouble(home.path):
            if home.path.stat().st_uid != os.geteuid():
                return
            home.path.chmod(0o711 if self.is_service_user else 0o700)

    def make(self, folder: Path) -> None:
        """Make a folder that belongs to it from its first moment: later its owner decides."""
        if folder.is_dir():
            return
        with trouble(folder):
            new = folder.with_name(f"{folder.name}.new")
            remove(new)
            new.mkdir(mode=0o700)
            self.own(new)
            new.rename(folder)

    def own(self, path: Path) -> None:
        """Give a file or folder to it; never what a link points to, since it may make links."""
        if self.is_service_user:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


async def choose(home: Home, trials: Iterable[tuple[str, ...]], clock: Clock) -> Identity:
    """Return whom the servers run as: the owner of the data that exist, else the first who can.

    A trial is a command that only tells its version: who can run all of them, working in the home
    folder, can run the servers. Raises NotConfiguredError when nobody can.
    """
    trials = list(trials)
    failure = ""
    for identity in _candidates(owner_of_data(home), home):
        identity.admit(home)
        failure = await _failure(identity, home, trials, clock)
        if not failure:
            return identity
    if os.geteuid() != 0:
        raise NotConfiguredError(f"the installed servers do not run here: {failure}")
    raise NotConfiguredError(
        f"the servers do not run as root, and no other user can run them in {home.path} "
        f"({failure}): run this as an ordinary user, or let everybody enter that folder and the "
        f"one of the installed servers (chmod o+x, their parents too), {MOVE}"
    )


def remove(path: Path) -> None:
    """Remove what is there, if anything, and nothing that a link points to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def owner_of_data(home: Home) -> int | None:
    """Return the user who owns the data of an earlier start."""
    for folder in (home.postgres, home.redis, home.documents):
        with suppress(FileNotFoundError):
            return folder.stat().st_uid
    return None


def user_name(uid: int | None) -> str:
    """Return how people call this user."""
    if uid is None:
        return "nobody"
    return pwd.getpwuid(uid).pw_name if _has_name(uid) else f"user {uid}"


def _candidates(owner: int | None, home: Home) -> Iterator[Identity]:
    """Yield whom we can run servers as, the best first; data that exist leave only their owner."""
    ourselves = Identity(os.geteuid(), os.getegid())
    if ourselves.uid != 0:
        if owner not in (None, ourselves.uid):
            raise UsageError(
                f"the data in {home.path} belong to {user_name(owner)}, you are "
                f"{user_name(ourselves.uid)}: start it as that user, {MOVE}"
            )
        if _has_name(ourselves.uid):
            yield ourselves
        else:
            # As in a container that is run as any number: PostgreSQL wants a user with a name.
            yield Identity(ourselves.uid, ourselves.gid, MAPPED + INSIDE)
        return
    if owner is None:
        for name in SERVICE_USERS:
            with suppress(KeyError):
                yield _service_user(pwd.getpwnam(name).pw_uid)
    elif owner != 0:
        yield _service_user(owner)
        return
    yield Identity(ourselves.uid, ourselves.gid, MAPPED + INSIDE)


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return False


def _service_user(uid: int) -> Identity:
    gid = _group_of(uid)
    return Identity(uid, gid, f"{uid}:{gid}")


def _group_of(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid


async def _failure(
    identity: Identity, home: Home, trials: list[tuple[str, ...]], clock: Clock
) -> str:
    """Return why it cannot run one of them, or nothing."""
    log = home.log("trial")
    for argv in trials:
        code, words = await run(Command("trial", argv, home.path, log, identity.launch), clock)
        if code != 0:
            return words or f"{argv[0]} {ending(code)}"
    return ""
