"""The guard: ends what the supervisor started when the supervisor itself is killed with -9.

The kernel's parent-death signal reaches direct children only. This process holds the read end of a
pipe and the state folder's lock; when the pipe closes without a farewell it ends every process group
that was announced, and only then lets the lock go. So a new
start on the same state waits for it, and never meets half of an old one.

Runs as a script by path (`python -I -S guard.py FD`): it imports nothing of ours, and is
small and up in a few milliseconds.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_S = 6.0
FAREWELL = "bye"


def running_groups() -> dict[int, set[int]]:
    """Every process group that runs, with its processes. Zombies do not count: some are never reaped."""
    found: dict[int, set[int]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            found.setdefault(int(fields[2]), set()).add(int(entry))
    return found


def watch(fd: int) -> dict[int, int]:
    """Follow the supervisor until it says farewell or ends; return the groups left, with their stop signals."""
    groups: dict[int, int] = {}
    with os.fdopen(fd, encoding="ascii") as pipe:
        for line in pipe:
            words = line.split()
            if words == [FAREWELL]:
                return {}
            if words[0] == "+":
                groups[int(words[1])] = int(words[2])
            else:
                groups.pop(int(words[1]), None)
    return groups


def end(groups: dict[int, int]) -> None:
    """Stop every group: its own signal to the leader; SIGKILL to what outlives the leader or the grace."""
    for pgid, stop_signal in groups.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pgid, stop_signal)
    deadline = time.monotonic() + GRACE_S
    left = set(groups)
    while left and time.monotonic() < deadline + GRACE_S:
        running = running_groups()
        left &= running.keys()
        for pgid in left:
            if pgid not in running[pgid] or time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pgid, signal.SIGKILL)
        time.sleep(0.1)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    end(watch(int(sys.argv[1])))
