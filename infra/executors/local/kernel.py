"""The few system calls that Python 3.11 does not offer, by ctypes; each raises OSError."""

from __future__ import annotations

import ctypes
import os
import time

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUSER = 0x1000_0000

MS_NOSUID = 2
MS_NODEV = 4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x8_0000

PR_SET_PDEATHSIG = 1
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the given namespaces for new ones."""
    _check(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount `source` at `target`."""
    _check(
        _libc.mount(source.encode(), os.fsencode(target), kind.encode() if kind else None, flags, options.encode()),
        f"mount {kind or 'bind'} at {target}",
    )


def keep_mounts_here() -> None:
    """Let no mount made here be seen outside. What is mounted or unmounted outside is still seen here."""
    mount("none", "/", None, MS_REC | MS_SLAVE)


def mount_tmpfs(target: str, *, size: int, inodes: int, mode: int, uid: int, gid: int) -> None:
    """Mount an empty tmpfs that holds at most `size` bytes and `inodes` files and folders."""
    options = f"size={size},nr_inodes={inodes},mode={mode:o},uid={uid},gid={gid}"
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def bind(source: str, target: str) -> None:
    """Show the folder or file `source` at `target` too."""
    mount(source, target, None, MS_BIND | MS_REC)


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this process a signal when its parent ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that they can be waited for here."""
    _check(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def reap_all(timeout_s: float) -> bool:
    """Wait for every child of this process to end; False when some are left after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    pause_s = 0.0005
    while True:
        try:
            pid, _status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.05)


def no_new_privileges() -> None:
    """Make set-uid and file capabilities worthless from here on."""
    _check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def empty_bounding_set() -> None:
    """Give up every capability for good, for what is executed from here on."""
    capability = 0
    while _libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0:
        _check(_libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "prctl")
        capability += 1


def start_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; with its id it names one process for good.

    None when there is no such process, or only its corpse.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
