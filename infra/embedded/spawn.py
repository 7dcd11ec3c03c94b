"""Starting one child process: its account, its capabilities, and the signal it gets when we die."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SERVICE_ACCOUNT = "campus-services"

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 4
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522

# Loaded before any fork: a child between fork and exec must not load libraries.
_libc = ctypes.CDLL(None, use_errno=True)


class SpawnError(RuntimeError):
    """A child could not be started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user that PostgreSQL and Redis run as when we are root (PostgreSQL refuses root)."""

    uid: int
    gid: int


def service_account(data: Path) -> Account | None:
    """Return the account for the services: None (ourselves) unless we are root.

    Data that an ordinary user made stays that user's; else it is an account of our own, made when
    missing. Raises SpawnError when it cannot be made.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (status := data.stat()).st_uid != 0:
        return Account(status.st_uid, status.st_gid)
    try:
        entry = pwd.getpwnam(SERVICE_ACCOUNT)
    except KeyError:
        _make_account()
        entry = pwd.getpwnam(SERVICE_ACCOUNT)
    return Account(entry.pw_uid, entry.pw_gid)


def _make_account() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    command = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_ACCOUNT]
    if useradd is None:
        raise SpawnError("useradd is missing: install it (apt-get install passwd), or run as an ordinary user")
    done = subprocess.run([useradd, *command], capture_output=True, text=True, check=False)  # noqa: S603  fixed words
    # 9: another start made it between our look and this call.
    if done.returncode not in (0, 9):
        raise SpawnError(f"cannot make the user {SERVICE_ACCOUNT}: {done.stderr.strip()}")


def can_reach(account: Account, *paths: Path) -> bool:
    """True when `account` may pass through every folder above each of `paths` and read the path itself."""
    for path in paths:
        resolved = path.resolve()
        for folder in (resolved, *resolved.parents):
            status = folder.stat()
            wanted = stat.S_IROTH | stat.S_IXOTH if folder == resolved else stat.S_IXOTH
            if status.st_uid == account.uid:
                wanted <<= 6
            elif status.st_gid == account.gid:
                wanted <<= 3
            if status.st_mode & wanted != wanted:
                return False
    return True


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    account: Account | None = None,
    reaches: Sequence[Path] = (),
    death_signal: int = signal.SIGTERM,
    output: IO[bytes] | int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start `argv` as the leader of a session and process group of its own.

    `env` is its whole environment. With `account` it drops root for good; when a folder above one
    of `reaches` is closed to that account (a checkout below a home folder), it keeps the one
    capability that passes closed folders, so that we never widen the mode of a folder that is not
    ours. `death_signal` arrives when the calling thread ends for any reason, `kill -9` too, so call
    this from a thread that lives as long as the child should.
    """
    override = account is not None and not can_reach(account, *reaches)
    try:
        return subprocess.Popen(  # noqa: S603  what to run is the caller's own
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=output,
            stderr=output if output != subprocess.PIPE else subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
            preexec_fn=_entry(account, override, death_signal, os.getpid()),
        )
    except (OSError, subprocess.SubprocessError) as error:
        places = ", ".join(str(path) for path in reaches)
        hint = f"; move these to folders that every user may pass: {places}" if override else ""
        raise SpawnError(f"cannot start {argv[0]}: {error}{hint}") from error


def _entry(account: Account | None, override: bool, death_signal: int, parent: int) -> Callable[[], None]:
    """Return what the child does between fork and exec."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable, for capabilities 0-31 and then 32-63
    held = (ctypes.c_uint32 * 6)(*(1 << _CAP_DAC_OVERRIDE,) * 3, 0, 0, 0)

    def enter() -> None:
        if account is not None:
            if override:
                # Keeps capabilities over setuid, and lets access(2), by which PostgreSQL looks for
                # its own files, honour them for a user that is not root.
                _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
            if override:
                if _libc.capset(header, held) != 0:
                    raise OSError(ctypes.get_errno(), "capset")
                _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)
        # After setuid: changing credentials clears it.
        _prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return enter


def _prctl(option: int, *values: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if _libc.prctl(option, *padded) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def die_with_parent() -> None:
    """Have the kernel send this process SIGTERM when the process that started it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def start_tick(pid: int) -> int | None:
    """Return when process `pid` started, in clock ticks since boot; None when it is gone or a zombie.

    A pid alone may have been given to another process; a pid with its start tick may not.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if after_name[0] in "ZX" else int(after_name[19])
