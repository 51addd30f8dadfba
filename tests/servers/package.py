"""Debian packages: installs what is missing if we are root, or says with which command to do it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping

from rightstore.clock import SYSTEM
from tests.servers.report import SetupError, say

APT = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
# Scripts of packages that start a service look at the runlevel: in 1 they leave it alone. Where
# systemd starts it all the same, it has ports and folders that ours never touch.
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
TAIL = 15
IsHere = Callable[[], bool]


def have(wanted: Mapping[str, IsHere]) -> None:
    """Return when all these packages are there, each told by what it brings."""
    missing = sorted(package for package, is_here in wanted.items() if not is_here())
    if not missing:
        return
    install = ["install", "-y", "--no-install-recommends", *missing]
    if shutil.which("apt-get") is None:
        raise SetupError(f"not installed: {', '.join(missing)} (the names in Debian)", code=2)
    if os.geteuid():
        raise SetupError(
            f"not installed; run: sudo apt-get update && sudo apt-get {' '.join(install)}", code=2
        )
    say(f"installing {' '.join(missing)} with apt-get")
    began = SYSTEM.monotonic()
    if _apt("update", "-qq"):
        _must("update", "-qq")
    _must(*install, "-qq")
    say(f"installed in {SYSTEM.monotonic() - began:.1f} s")


def _must(*arguments: str) -> None:
    complaint = _apt(*arguments)
    if complaint:
        raise SetupError(f"apt-get {' '.join(arguments)} failed:\n{complaint}")


def _apt(*arguments: str) -> str:
    """Run it and return nothing, or the end of what it wrote if it failed."""
    done = subprocess.run(
        [*APT, *arguments],
        env={**os.environ, **QUIET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return "\n".join(done.stdout.splitlines()[-TAIL:]) + "\n" if done.returncode else ""
