"""Where the servers keep things: a cache that stays, and one folder per run that goes.

A run's folder is locked while the program lives, so that what a killed one left behind can be
told from what is in use and is removed by the next.
"""

import fcntl
import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = Path(tempfile.gettempdir())
PREFIX = "rightstore-servers-"


def home() -> Path:
    """Return the folder that holds the cache, the file of URLs and, where possible, the runs."""
    parent = os.environ.get("RIGHTSTORE_HOME") or REPOSITORY / ".rightstore"
    return Path(parent).absolute() / "servers"


def cache() -> Path:
    """Return the folder of verified downloads."""
    folder = home() / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class RunFolder:
    """The folder of one run, its lock, and the places of the servers in it."""

    def __init__(self) -> None:
        home().mkdir(parents=True, exist_ok=True)
        sweep()
        parent = home() if os.geteuid() or others_can_enter(home()) else SHARED
        name = "run-" if parent == home() else PREFIX
        self.path = Path(tempfile.mkdtemp(prefix=name, dir=parent))
        self.path.chmod(0o755)
        # Renamed when it is locked: a lock file that nobody holds always means a dead run.
        young = self.path / "lock.new"
        self._lock = young.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        young.rename(self.path / "lock")

    def place(self, name: str, *, account: str | None = None) -> Path:
        """Make the folder of one server, which only it (and root) can enter."""
        place = self.path / name
        place.mkdir(mode=0o700)
        give(place, account)
        return place

    def remove(self) -> None:
        """Delete everything of this run."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def account(name: str) -> str | None:
    """Return the user a server runs as: another one if we are root, ourselves otherwise."""
    return name if os.geteuid() == 0 else None


def give(path: Path, account: str | None) -> None:
    """Make a folder or a file, with all that is in it, belong to the user of a server."""
    if account is None:
        return
    user = pwd.getpwnam(account)
    for one in (path, *path.rglob("*")):
        os.chown(one, user.pw_uid, user.pw_gid, follow_symlinks=False)


def write(path: Path, text: str, *, account: str | None = None) -> Path:
    """Write a file that only its server (and root) can read."""
    path.touch(mode=0o600)
    path.write_text(text)
    give(path, account)
    return path


def others_can_enter(folder: Path) -> bool:
    """Say whether every user of the machine can reach a file below this folder."""
    return all(one.stat().st_mode & 0o001 for one in (folder, *folder.parents))


def sweep() -> None:
    """Remove the folders of runs whose program is dead."""
    for folder in (*home().glob("run-*"), *SHARED.glob(f"{PREFIX}*")):
        lock = folder / "lock"
        with suppress(OSError):
            if lock.stat().st_uid == os.geteuid() and _can_lock(lock):
                shutil.rmtree(folder, ignore_errors=True)


def _can_lock(path: Path) -> bool:
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
