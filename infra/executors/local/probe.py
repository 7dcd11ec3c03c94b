"""Finds out what this machine can contain, and says what is missing and how to get it."""

# ruff: noqa: S603  # every command line is this module's own
from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from infra.executors.local import cgroups, node, seccomp

GET_BWRAP = "bubblewrap 0.8 or newer is missing: apt-get install bubblewrap"
GET_SECCOMP = "libseccomp is missing: apt-get install libseccomp2"
GET_CGROUP = (
    "learners' code cannot be held to a memory limit: {why}. Run as root, or under systemd with "
    "systemd-run --user --scope -p Delegate=yes, or set LABS_ALLOW_UNCONFINED=1 and trust every learner"
)


@dataclass(frozen=True, slots=True)
class Findings:
    """The node as found, and what is missing. Without a node nothing can run."""

    node: node.Node | None
    missing: tuple[str, ...]


def look(root: Path, slots: tuple[int, int]) -> Findings:
    """Look at this machine and make the folders that runs need. `slots`: first user id, and how many."""
    bwrap = _bwrap()
    program = _seccomp()
    hierarchy, why = cgroups.find_hierarchy()
    missing = []
    if bwrap is None:
        missing.append(GET_BWRAP)
    if program is None:
        missing.append(GET_SECCOMP)
    if hierarchy is None:
        missing.append(GET_CGROUP.format(why=why))
    if bwrap is None or program is None:
        return Findings(None, tuple(missing))
    state = node.state_folder(root)
    links, folders = node.top_of_root()
    found = node.Node(
        root=root,
        stage=state / "stage",
        bwrap=bwrap,
        interpreter=node.find_interpreter(),
        seccomp=program,
        hierarchy=hierarchy,
        slots=node.Slots(state / "slots", *slots) if os.geteuid() == 0 else None,
        top_links=links,
        top_folders=folders,
        driver_folders=tuple(folder for folder in node.DRIVER_FOLDERS if os.path.isdir(folder)),
    )
    _make_folders(found, state)
    return Findings(found, tuple(missing))


def _bwrap() -> str | None:
    """Its path, when it is new enough to keep jobs from making user namespaces."""
    path = shutil.which("bwrap")
    if path is None:
        return None
    said = subprocess.run([path, "--help"], capture_output=True, text=True, check=False)
    return path if "--disable-userns" in said.stdout + said.stderr else None


def _seccomp() -> bytes | None:
    try:
        return seccomp.program()
    except (ImportError, OSError, RuntimeError):
        return None


def _make_folders(found: node.Node, state: Path) -> None:
    for folder, mode in ((state, 0o711), (found.stage, 0o711), (state / "slots", 0o700), (found.root, 0o711)):
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(mode)
    for name in ("environments", "runs"):
        (found.root / name).mkdir(mode=0o755, exist_ok=True)
