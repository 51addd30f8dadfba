"""Become another user if told to, promise to die with the parent, and turn into the program.

Run as a file by `python -I -S` for every child that we start: it imports nothing of ours and starts
in some ten milliseconds. Arguments: user, death signal, pid of the parent, folder, program and its
arguments.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PARENT_GONE = 125
NOT_STARTED = 126
MAPPED = "mapped:"

_libc = ctypes.CDLL(None, use_errno=True)


def switch(user: str) -> None:
    """Become `uid:gid`, or with `mapped:uid:gid` keep our files and be called uid:gid inside."""
    _, mapped, numbers = user.rpartition(MAPPED)
    uid, gid = (int(number) for number in numbers.split(":"))
    if mapped:
        _map_user(uid, gid)
        return
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _map_user(uid: int, gid: int) -> None:
    """Enter a user namespace in which we, who are root outside, are an ordinary user.

    Servers that refuse to run as root look at the number; the capabilities end with the exec.
    """
    outside = os.getuid(), os.getgid()
    _call("unshare", _libc.unshare(CLONE_NEWUSER))
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {outside[0]} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{gid} {outside[1]} 1", encoding="ascii")


def die_with(parent: int, death_signal: int) -> None:
    """Have the kernel signal us when the parent ends; a change of user after this would undo it."""
    _call("prctl", _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0))
    if os.getppid() != parent:
        sys.exit(PARENT_GONE)


def _call(name: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def main(arguments: list[str]) -> None:
    """Do it; this returns only by an error."""
    user, death_signal, parent, folder, *argv = arguments
    os.umask(0o077)
    if user:
        switch(user)
    die_with(int(parent), int(death_signal))
    os.chdir(folder)
    # Python ignores some, nohup another; what is ignored stays so after an exec.
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    os.execvp(argv[0], argv)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.stderr.write(f"cannot start {sys.argv[5]}: {error}\n")
        sys.exit(NOT_STARTED)
