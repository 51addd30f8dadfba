"""What a doctor looks at on this machine: Python, disk, memory, ports, files with secrets.

It knows nothing of stores and changes nothing.
"""

import errno
import os
import platform
import shutil
import socket
import stat
import sys
from pathlib import Path

from rightstore.ports.checkup import Finding

MEBI = 1024 * 1024
DISK_NEEDED = 512 * MEBI
MEMORY_NEEDED = 1024 * MEBI


def examine_machine(home: Path, secrets: tuple[Path, ...]) -> list[Finding]:
    """Judge the machine that this runs on."""
    return [
        _python(),
        _platform(),
        _disk(home),
        _memory(),
        *(finding for path in secrets if (finding := _secret(path))),
    ]


def examine_port(host: str, port: int) -> Finding:
    """Judge whether the port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            remedy = "stop the program that has it, or take another one: --port, RIGHTSTORE_PORT"
            if error.errno == errno.EACCES:
                remedy = "take one above 1023: --port, RIGHTSTORE_PORT"
            elif error.errno != errno.EADDRINUSE:
                remedy = "name an address of this machine: --host, RIGHTSTORE_HOST"
            what = f"{host}:{port} cannot be listened on ({error.strerror})"
            return Finding("port", "error", what, remedy)
    return Finding("port", "ok", f"{host}:{port} is free")


def _python() -> Finding:
    number = platform.python_version()
    if sys.version_info >= (3, 15):
        return Finding(
            "python",
            "warning",
            f"{number} is newer than what was tested",
            "use Python 3.11 to 3.14",
        )
    return Finding("python", "ok", f"{number}")


def _platform() -> Finding:
    name = f"{platform.system()} {platform.machine()}"
    if platform.system() != "Linux":
        return Finding(
            "platform",
            "warning",
            f"{name}: the embedded stack runs on Linux only",
            "give every store by URL (POSTGRES_URL, MONGODB_URL, REDIS_URL)",
        )
    return Finding("platform", "ok", name)


def _disk(home: Path) -> Finding:
    existing = home.absolute()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < DISK_NEEDED:
        return Finding(
            "disk",
            "error",
            f"{free // MEBI} MiB free below {existing}",
            "free space, or set RIGHTSTORE_HOME to a folder on another disk",
        )
    return Finding("disk", "ok", f"{free // MEBI} MiB free")


def _memory() -> Finding:
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text("ascii").splitlines())
        available = int(lines["MemAvailable"].split()[0]) * 1024
    if available < MEMORY_NEEDED:
        return Finding(
            "memory",
            "warning",
            f"{available // MEBI} MiB available",
            "the embedded stack wants 1024 MiB: stop something, or give stores by URL",
        )
    return Finding("memory", "ok", f"{available // MEBI} MiB available")


def _secret(path: Path) -> Finding | None:
    if not path.is_file():
        return None
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding(
            path.name,
            "warning",
            f"others on this machine may read it (mode {mode:04o})",
            f"chmod 600 {path}",
        )
    return Finding(path.name, "ok", f"mode {mode:04o}")
