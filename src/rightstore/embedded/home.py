"""The folder that an embedded stack lives in: its layout, its lock, and careful writing of files.

One process at a time holds the lock, for its whole life; a pid in a file proves nothing.
"""

import errno
import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rightstore.clock import Clock
from rightstore.errors import RightstoreError, UnavailableError, UsageError

NEEDED_BYTES = 64 * 1024 * 1024
LOCK_TRIES = 10
LOOKS, LOOK_PAUSE = 50, 0.01
LAYOUT = frozenset(
    [
        ".gitignore",
        "lost+found",
        "lock",
        "state.json",
        "secrets.json",
        "ports.json",
        "logs",
        "run",
        "postgres",
        "redis",
        "documents",
    ]
)
MOVE = "or choose another folder with RIGHTSTORE_HOME"


class Home:
    """Where everything is, as an absolute path: the servers work in folders of their own."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser().resolve()
        self.lock = self.path / "lock"
        self.state = self.path / "state.json"
        self.secrets = self.path / "secrets.json"
        self.ports = self.path / "ports.json"
        self.run = self.path / "run"
        self.logs = self.path / "logs"
        self.postgres = self.path / "postgres"
        self.redis = self.path / "redis"
        self.documents = self.path / "documents"

    def log(self, name: str) -> Path:
        """Return where the output of this process goes."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folder; say in one line why it cannot be."""
        with trouble(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._refuse_strange_folder()
            self.logs.mkdir(mode=0o700, exist_ok=True)
            # Nobody shall commit what is in here: there are passwords among it.
            (self.path / ".gitignore").write_text("*\n", encoding="ascii")
        free = self.free()
        if free < NEEDED_BYTES:
            raise _full(f"only {free // 1024 // 1024} MiB are free for {self.path}, 64 are needed")

    def _refuse_strange_folder(self) -> None:
        """Raise when the folder is used for something else: we change its mode, and fill it."""
        if self.lock.exists():
            return
        strange = sorted({entry.name for entry in self.path.iterdir()} - LAYOUT)
        if strange:
            raise UsageError(
                f"{self.path} holds other things ({strange[0]}): set RIGHTSTORE_HOME to a new "
                "folder, or to an empty one"
            )

    def free(self) -> int:
        """Return how many bytes are left for it."""
        return shutil.disk_usage(self.path).free

    def holder(self) -> int | None:
        """Return the process that runs the stack here: it holds the lock now. None: nobody does.

        Raises UsageError when the lock is held, and not by the process that wrote its pid there. It
        looks more than once: who is just coming or just dying holds it without being seen to.
        """
        with trouble(self.lock):
            if not self.lock.is_file():
                return None
        pid, moment = None, threading.Event()
        for _ in range(LOOKS):
            with trouble(self.lock), self.lock.open("rb") as file:
                if _try_lock(file.fileno(), fcntl.LOCK_SH):
                    return None
                pid = _pid(file.read(32))
            if pid is not None and _has_open(pid, self.lock):
                return pid
            moment.wait(LOOK_PAUSE)
        raise UsageError(
            f"the lock {self.lock} is held by a process that cannot be seen from here (of another "
            "user, or in another container): ask there, `fuser` names it"
        )

    def is_locked(self) -> bool:
        """Tell whether somebody runs the stack here."""
        with trouble(self.lock):
            if not self.lock.is_file():
                return False
        with trouble(self.lock), self.lock.open("rb") as file:
            return not _try_lock(file.fileno(), fcntl.LOCK_SH)


@contextmanager
def trouble(path: Path) -> Iterator[None]:
    """Turn an error of the file system into one line that names the remedy."""
    try:
        yield
    except OSError as error:
        raise explain(error, Path(error.filename or path)) from error


def explain(error: OSError, path: Path) -> RightstoreError:
    """Return the error that says what is wrong with a file or folder, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(f"the disk of {path} is full, or its quota is used up")
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return UsageError(f"{path} is a file, not a folder: remove it, {MOVE}")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UsageError(f"{path} cannot be written or read by this user: correct it, {MOVE}")
    return UsageError(f"{path}: {error.strerror or error}: correct it, {MOVE}")


def write(path: Path, text: str, *, lasting: bool = True) -> None:
    """Write a file whole or not at all, for our eyes only; a lasting one survives a power cut."""
    new = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        new.unlink()
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if lasting:
            os.fsync(file.fileno())
    new.replace(path)
    if lasting:
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a file of ours says; None when it is not there."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explain(error, path) from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON any more: restore it from a backup") from error
    return value if isinstance(value, dict) else None


async def take_lock(home: Home, clock: Clock) -> int:
    """Return the lock of this home, open and ours until it is closed; raise when it is taken.

    It is tried a few times, because whoever only looks holds it for an instant.
    """
    with trouble(home.lock):
        handle = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(LOCK_TRIES):
        if _try_lock(handle, fcntl.LOCK_EX):
            with trouble(home.lock):
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            return handle
        await clock.sleep(0.02)
    pid = _pid(os.pread(handle, 32, 0))
    os.close(handle)
    raise UsageError(
        f"already running (pid {pid or 'unknown'}) in {home.path}: `rightstore status` shows it, "
        "`rightstore down` stops it"
    )


def _try_lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(text: bytes) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _has_open(pid: int, path: Path) -> bool:
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if entry.samefile(path):
                    return True
    return False


def _full(what: str) -> UnavailableError:
    return UnavailableError(
        f"{what}: free some space, {MOVE}", store="home", operation="start", outcome="not applied"
    )
