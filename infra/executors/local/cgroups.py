"""Control groups, version 1 and 2: finds where this process may make them, and makes one per run."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.executors.local import kernel

PREFIX = "campus-run."
LEAF = "campus-agent"
V1_NEEDED = ("memory", "pids")
V1_WANTED = ("cpu", "cpuacct")
V2_NEEDED = ("memory", "pids")
V2_WANTED = ("cpu",)
CPU_PERIOD_US = 100_000
# bwrap outside, its init inside, and the shell that becomes the job are charged to the run as well.
OVERHEAD_PROCESSES = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use: bytes, processes with threads, cores."""

    memory_bytes: int
    processes: int
    cpu_cores: float


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where groups of runs are made: by controller (v1), or one folder under the name "unified" (v2)."""

    version: Literal["v1", "v2"]
    parents: tuple[tuple[str, str], ...]

    def group(self, name: str) -> Group:
        """The group of that name, which need not exist yet."""
        folders = {controller: Path(parent) / name for controller, parent in self.parents}
        return GroupV2(folders["unified"]) if self.version == "v2" else GroupV1(folders)


# ---- finding a place ----------------------------------------------------------------------------------------------


def find_hierarchy() -> tuple[Hierarchy | None, str]:
    """Where memory and process limits can be set from this process, or None and why not.

    On version 2 this may move the processes of a delegated group into a leaf of it, once, since only a
    group without processes of its own may hand controllers down.
    """
    mounts = _mounts()
    own = _own_groups()
    if "memory" in mounts and "memory" in own:
        return _find_v1(mounts, own)
    if "unified" in mounts:
        return _find_v2(mounts["unified"], own.get("unified", "/"))
    return None, "no memory control group is mounted"


def _mounts() -> dict[str, Path]:
    """Mount point by v1 controller, and of the v2 tree as "unified"."""
    found: dict[str, Path] = {}
    with open("/proc/self/mountinfo") as mountinfo:
        for line in mountinfo:
            fields, _, rest = line.partition(" - ")
            kind, _source, options = rest.split(maxsplit=2)
            point = Path(fields.split()[4].encode().decode("unicode_escape"))
            if kind == "cgroup2":
                found.setdefault("unified", point)
            elif kind == "cgroup":
                for option in options.strip().split(","):
                    found.setdefault(option, point)
    return found


def _own_groups() -> dict[str, str]:
    found = {}
    with open("/proc/self/cgroup") as groups:
        for line in groups:
            _number, controllers, path = line.rstrip("\n").split(":", 2)
            for controller in controllers.split(",") if controllers else ("unified",):
                found[controller] = path
    return found


def _find_v1(mounts: dict[str, Path], own: dict[str, str]) -> tuple[Hierarchy | None, str]:
    parents = []
    for controller in V1_NEEDED + V1_WANTED:
        parent = _v1_parent(mounts.get(controller), own.get(controller, "/"))
        if parent is not None:
            parents.append((controller, str(parent)))
        elif controller in V1_NEEDED:
            return None, f"the {controller} control group (v1) is not writable"
    return Hierarchy("v1", tuple(parents)), ""


def _v1_parent(mount: Path | None, own: str) -> Path | None:
    """The own group when groups can be made in it (what limits this service then limits its runs), else the top."""
    if mount is None:
        return None
    for parent in (mount / own.lstrip("/"), mount):
        if _can_make_groups(parent):
            return parent
    return None


def _can_make_groups(parent: Path) -> bool:
    probe = parent / f"{PREFIX}{os.getpid()}.{kernel.start_ticks(os.getpid())}.probe"
    try:
        probe.mkdir()
    except OSError:
        return False
    try:
        return os.access(probe / "cgroup.procs", os.W_OK)
    finally:
        probe.rmdir()


def _find_v2(mount: Path, own: str) -> tuple[Hierarchy | None, str]:
    problem = ""
    for parent in _v2_candidates(mount, own):
        problem = _v2_problem(parent)
        if not problem:
            return Hierarchy("v2", (("unified", str(parent)),)), ""
    return None, problem or "no control group (v2) is delegated to this user"


def _v2_candidates(mount: Path, own: str) -> Iterator[Path]:
    mine = mount / own.lstrip("/")
    if mine.name == LEAF:  # an earlier start of ours has moved this process there
        mine = mine.parent
    if _is_delegated(mine):
        yield mine
    is_real_root = not (mount / "cgroup.type").exists()
    if (os.geteuid() == 0 and is_real_root) or (os.geteuid() == 0 and mine == mount):
        yield mount


def _is_delegated(group: Path) -> bool:
    for attribute in ("trusted.delegate", "user.delegate"):
        try:
            if os.getxattr(group, attribute) == b"1":
                return os.access(group / "cgroup.procs", os.W_OK)
        except OSError:
            continue
    return os.geteuid() != 0 and os.access(group / "cgroup.procs", os.W_OK) and os.access(group, os.W_OK)


def _v2_problem(parent: Path) -> str:
    """Hand the controllers down to the groups in `parent`; why that failed, or nothing."""
    available = (parent / "cgroup.controllers").read_text().split()
    absent = [name for name in V2_NEEDED if name not in available]
    if absent:
        return f"the control group {parent} has no {' and no '.join(absent)} controller"
    wanted = [name for name in V2_NEEDED + V2_WANTED if name in available]
    try:
        try:
            _enable(parent, wanted)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            _move_processes_to_leaf(parent)
            _enable(parent, wanted)
    except OSError as error:
        return f"the control group {parent} cannot be divided: {error.strerror}"
    return "" if _can_make_groups(parent) else f"no group can be made in {parent}"


def _enable(parent: Path, controllers: list[str]) -> None:
    control = parent / "cgroup.subtree_control"
    on = control.read_text().split()
    missing = [f"+{name}" for name in controllers if name not in on]
    if missing:
        control.write_text(" ".join(missing))


def _move_processes_to_leaf(parent: Path) -> None:
    leaf = parent / LEAF
    leaf.mkdir(exist_ok=True)
    for pid in _pids(parent):
        try:
            (leaf / "cgroup.procs").write_text(str(pid))
        except ProcessLookupError:
            continue


# ---- one run's group ----------------------------------------------------------------------------------------------


def _pids(folder: Path) -> list[int]:
    try:
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
    except FileNotFoundError:
        return []


def _number(text: str, key: str) -> int:
    """The number beside `key` in a file of "key number" lines; 0 when it is not there."""
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return int(value)
    return 0


class Group:
    """A run's control group. `folders` holds one folder (v2) or one per controller (v1)."""

    folders: tuple[Path, ...]

    def create(self) -> None:
        """Make it, without limits. Raises OSError."""
        for folder in self.folders:
            folder.mkdir()

    def limit(self, limits: Limits) -> None:
        """Set its limits, before anything runs in it that could exceed them. Raises OSError."""
        raise NotImplementedError

    def out_of_memory_kills(self) -> int:
        """How many of its processes the kernel has killed for memory."""
        raise NotImplementedError

    def cpu_seconds(self) -> float:
        """CPU time that it has used."""
        raise NotImplementedError

    def peak_memory_bytes(self) -> int:
        """The most memory that it has held."""
        raise NotImplementedError

    def signal_all(self) -> None:
        """SIGKILL to every process in it, once."""
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def join(self, pid: int) -> None:
        """Put a process into it."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def pids(self) -> list[int]:
        """Its processes."""
        return sorted({pid for folder in self.folders for pid in _pids(folder)})

    def kill(self, timeout_s: float = 5.0) -> bool:
        """Kill all that is in it; False when something is left after `timeout_s` (stuck in the kernel)."""
        deadline = time.monotonic() + timeout_s
        pause_s = 0.001
        while self.pids():
            self.signal_all()
            if time.monotonic() > deadline:
                return False
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.05)
        return True

    def remove(self) -> None:
        """Remove it; a group that still holds processes stays for the next start's sweep."""
        for folder in self.folders:
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise


class GroupV1(Group):
    """A group of version 1: a folder in each controller's own tree."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._by_controller = folders
        self.folders = tuple(dict.fromkeys(folders.values()))

    def limit(self, limits: Limits) -> None:
        """Set its limits. Raises OSError."""
        memory = self._by_controller["memory"]
        (memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
        if (memory / "memory.memsw.limit_in_bytes").exists():
            (memory / "memory.memsw.limit_in_bytes").write_text(str(limits.memory_bytes))
        (memory / "memory.swappiness").write_text("0")
        (self._by_controller["pids"] / "pids.max").write_text(str(limits.processes + OVERHEAD_PROCESSES))
        if cpu := self._by_controller.get("cpu"):
            (cpu / "cpu.cfs_period_us").write_text(str(CPU_PERIOD_US))
            (cpu / "cpu.cfs_quota_us").write_text(str(max(int(limits.cpu_cores * CPU_PERIOD_US), 1_000)))

    def out_of_memory_kills(self) -> int:
        """How many of its processes the kernel has killed for memory."""
        return _number((self._by_controller["memory"] / "memory.oom_control").read_text(), "oom_kill")

    def cpu_seconds(self) -> float:
        """CPU time that it has used."""
        folder = self._by_controller.get("cpuacct")
        return int((folder / "cpuacct.usage").read_text()) / 1e9 if folder else 0.0

    def peak_memory_bytes(self) -> int:
        """The most memory that it has held."""
        return int((self._by_controller["memory"] / "memory.max_usage_in_bytes").read_text())


class GroupV2(Group):
    """A group of version 2: one folder for all controllers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.folders = (folder,)

    def limit(self, limits: Limits) -> None:
        """Set its limits. Raises OSError."""
        self._set("memory.max", limits.memory_bytes)
        if (self._folder / "memory.swap.max").exists():
            self._set("memory.swap.max", 0)
        self._set("memory.oom.group", 1)
        self._set("pids.max", limits.processes + OVERHEAD_PROCESSES)
        if (self._folder / "cpu.max").exists():
            self._set("cpu.max", f"{max(int(limits.cpu_cores * CPU_PERIOD_US), 1_000)} {CPU_PERIOD_US}")

    def signal_all(self) -> None:
        """SIGKILL to every process in it, at once where the kernel can (5.14)."""
        try:
            self._set("cgroup.kill", 1)
        except FileNotFoundError:
            super().signal_all()

    def out_of_memory_kills(self) -> int:
        """How many of its processes the kernel has killed for memory."""
        return _number((self._folder / "memory.events").read_text(), "oom_kill")

    def cpu_seconds(self) -> float:
        """CPU time that it has used."""
        return _number((self._folder / "cpu.stat").read_text(), "usage_usec") / 1e6

    def peak_memory_bytes(self) -> int:
        """The most memory that it has held; what it holds now on a kernel before 5.19."""
        for name in ("memory.peak", "memory.current"):
            try:
                return int((self._folder / name).read_text())
            except FileNotFoundError:
                continue
        return 0

    def _set(self, name: str, value: object) -> None:
        path = self._folder / name
        if not path.exists():  # opening for writing must not try to create it
            raise FileNotFoundError(path)
        path.write_text(str(value))


def group_name(runner_pid: int, root: Path) -> str:
    """A group's name, which says whose it is, so that a sweep can tell the dead from the living.

    The end stands for the executor's root: a machine may have several agents.
    """
    return f"{PREFIX}{runner_pid}.{kernel.start_ticks(runner_pid)}.{label_of(root)}"


def label_of(root: Path) -> str:
    """What the names of all groups of an executor with this root end with."""
    return hashlib.sha256(str(root).encode()).hexdigest()[:12]


def sweep(hierarchy: Hierarchy) -> list[str]:
    """Kill and remove the groups whose runner is dead; their names."""
    swept = set()
    for _controller, parent in hierarchy.parents:
        for folder in Path(parent).glob(f"{PREFIX}*"):
            pid, _, rest = folder.name.removeprefix(PREFIX).partition(".")
            ticks = rest.partition(".")[0]
            if pid.isdigit() and str(kernel.start_ticks(int(pid))) != ticks:
                swept.add(folder.name)
    for name in swept:
        group = hierarchy.group(name)
        group.kill()
        group.remove()
    return sorted(swept)
