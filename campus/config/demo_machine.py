"""What the demo asks of the machine: disk, bubblewrap, a port. (Python itself is checked by the Makefile.)"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

DEFAULT_PORT = 8000
_PORTS_TRIED = 100
_DISK_MIN_MIB = 1024
_DISK_ENOUGH_MIB = 3 * 1024
_INSTALL = "apt-get update && apt-get install --yes --no-install-recommends bubblewrap"
_INSTALL_S = 180.0
_SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--")
_SCOPE_S = 10.0

Say = Callable[[str], None]


class MachineError(RuntimeError):
    """The machine lacks something; the message says what, and what to do."""


def check_machine(folder: Path, say: Say) -> None:
    """Raise MachineError when the disk of `folder` is too full; warn when it is tight."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free_mib = shutil.disk_usage(existing).free // (1024 * 1024)
    if free_mib < _DISK_MIN_MIB:
        raise MachineError(
            f"{existing} has {free_mib} MiB left, {_DISK_MIN_MIB} MiB are needed; set CAMPUS_STATE elsewhere"
        )
    if free_mib < _DISK_ENOUGH_MIB:
        say(f"note: only {free_mib} MiB left for {folder}; the labs' environments take about 1 GiB")


def listen(host: str, wanted: str) -> socket.socket:
    """Return a listening socket on `host`: on port `wanted`, or, when that is empty, on the first free one from 8000.

    `0` takes any free port. Raises MachineError for a bad or busy port.
    """
    if wanted:
        if not wanted.isdigit() or int(wanted) > 65535:
            raise MachineError(f"PORT is {wanted!r}; set it to a number from 0 (any free port) to 65535")
        listener = _bind(host, int(wanted))
        if listener is None:
            raise MachineError(f"port {wanted} is in use or not ours to take; set PORT to another, or to 0 for any")
        return listener
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED):
        if listener := _bind(host, port):
            return listener
    raise MachineError(f"no free port from {DEFAULT_PORT} on; set PORT")


def _bind(host: str, port: int) -> socket.socket | None:
    listener = socket.socket()
    # Else the port stays closed for a minute after each end.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it. uvicorn takes a socket that it is handed for a unix one and leaves this out:
    # every answer then waits 40 ms for the other side's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        return None
    return listener


class Sandbox:
    """bubblewrap, which contains learners' code: installed in the background where we may."""

    def __init__(self, say: Say) -> None:
        """Start the installation when it is missing and we are root or sudo asks for no password."""
        self._say = say
        self._installing: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        if has_bubblewrap():
            return
        prefix = _root_prefix()
        if prefix is not None and shutil.which("apt-get"):
            say("installing bubblewrap (Debian package) behind the scenes")
            self._output = tempfile.TemporaryFile()  # noqa: SIM115  read when it is over
            # Not the supervisor's: to kill a package installation half way would break the machine's packages.
            self._installing = subprocess.Popen(  # noqa: S603  fixed words
                [*prefix, "sh", "-c", f"export DEBIAN_FRONTEND=noninteractive; {_INSTALL}"],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
            )

    def settle(self, pause: Callable[[float], None]) -> None:
        """Wait for the installation; say what to do when there is no bubblewrap in the end."""
        waited = 0.0
        while self._installing is not None and self._installing.poll() is None and waited < _INSTALL_S:
            pause(0.2)
            waited += 0.2
        if has_bubblewrap():
            return
        if self._output is not None:
            self._output.seek(0)
            last = self._output.read().decode(errors="replace").strip().splitlines()[-3:]
            self._say("note: installing bubblewrap failed: " + " | ".join(last))
        self._say(f"note: the nodes refuse learners' code until bubblewrap is there; as root run: {_INSTALL}")


def group_of_its_own(uid: int) -> tuple[str, ...]:
    """The words before a node's command by which systemd gives it a control group to divide; none where it cannot.

    Root needs none. The shell of an ordinary user has no such group, and without one no memory limit holds.
    """
    if uid == 0 or shutil.which(_SCOPE[0]) is None:
        return ()
    try:
        tried = subprocess.run(  # noqa: S603  fixed words
            [*_SCOPE, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SCOPE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return _SCOPE if tried.returncode == 0 else ()


def has_bubblewrap() -> bool:
    """True when bwrap can be run."""
    return shutil.which("bwrap") is not None


def _root_prefix() -> list[str] | None:
    """What to put before a command to run it as root without a question; None when we cannot."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    allowed = subprocess.run([sudo, "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
    return [sudo, "-n"] if allowed.returncode == 0 else None
