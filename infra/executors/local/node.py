"""What is the same for every run on a node: the values that the agent finds out once and each runner gets."""

# ruff: noqa: S603  # every command line is this module's own
from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.executors.local.cgroups import Hierarchy

MINIMUM_PYTHON = (3, 11)
# Driver libraries of a GPU lie here when they are not under /usr.
DRIVER_FOLDERS = ("/run/opengl-driver/lib", "/opt/nvidia/lib64", "/opt/nvidia/lib")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that environments are made from."""

    executable: str
    version: str
    prefix: str | None
    """A folder outside /usr that must be visible for it to work; None when /usr is enough."""

    @property
    def minor(self) -> str:
        """The version that packages are chosen for ("3.11")."""
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True, slots=True)
class Slots:
    """Kernel user ids that runs use, one each, when the executor is root; a lock file marks one as taken."""

    folder: Path
    first_uid: int = 61_000
    count: int = 128


@dataclass(frozen=True, slots=True)
class Node:
    """A node as a runner sees it."""

    root: Path
    """Where environments and the outputs of runs lie."""
    stage: Path
    """An empty folder that any user can reach; each run mounts its own things there, unseen by others."""
    bwrap: str
    interpreter: Interpreter
    seccomp: bytes
    hierarchy: Hierarchy | None
    """None runs without a memory limit (unconfined)."""
    slots: Slots | None
    """None runs as this very user (not root)."""
    top_links: tuple[tuple[str, str], ...]
    """(NAME, target) of links such as /bin to usr/bin."""
    top_folders: tuple[str, ...]
    """Folders such as /bin where they are real ones."""
    driver_folders: tuple[str, ...]


def find_interpreter() -> Interpreter:
    """The system's Python when it is new enough, so that only /usr must be visible; else the one that runs this."""
    system = Path("/usr/bin/python3")
    if system.exists():
        version = _version_of(str(system))
        if version and tuple(int(part) for part in version.split(".")[:2]) >= MINIMUM_PYTHON:
            return Interpreter(str(system.resolve()), version, None)
    executable = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    prefix = os.path.realpath(sys.base_prefix)
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Interpreter(executable, version, None if Path(prefix).is_relative_to("/usr") else prefix)


def _version_of(executable: str) -> str | None:
    asked = subprocess.run([executable, "-I", "-S", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"Python (\d+\.\d+\.\d+)", asked.stdout + asked.stderr)
    return found.group(1) if found else None


def top_of_root() -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """/bin and its like: as links (name, target) where /usr is merged, and as folders where it is not."""
    links, folders = [], []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            links.append((f"/{name}", os.readlink(path)))
        elif path.is_dir():
            folders.append(f"/{name}")
    return tuple(links), tuple(folders)


def state_folder(root: Path) -> Path:
    """Where locks and the stage lie: machine-wide for root, since slots belong to the machine and not to one agent."""
    if os.geteuid() == 0:
        return Path("/run/campus-executor")
    digest = hashlib.sha256(str(root).encode()).hexdigest()[:12]
    return root / f"state-{digest}"
