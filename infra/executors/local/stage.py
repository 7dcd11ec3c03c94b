"""A run's private ground: its own mount namespace, tmpfs folders, sources, and the step into bubblewrap."""

from __future__ import annotations

import fcntl
import os
import pickle
import resource
import shutil
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.executors.contract import CHECKPOINT, GIB, MIB, CheckpointFile, RunSpec
from infra.executors.local import bwrap, kernel
from infra.executors.local.cgroups import Group
from infra.executors.local.node import Node

MAX_INODES = 100_000
OPEN_FILES = 65_536
# An unconfined run has only this against the heap; interpreters and BLAS reserve far more than they use.
ADDRESS_SPACE_SLACK = 2 * GIB
GO = b"g"
_BEGAN, _INFO, _SECCOMP = 3, 4, 5  # dash knows one-digit descriptors only


class NoFreeSlot(Exception):
    """All user ids for runs on this machine are in use."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a run is to the kernel, and the lock that keeps it from being anyone else."""

    uid: int
    gid: int
    lock: int | None = None


def take_identity(node: Node) -> Identity:
    """A slot's user id, held until this process ends; without slots (not root) this very user.

    Raises `NoFreeSlot`.
    """
    if node.slots is None:
        return Identity(os.getuid(), os.getgid())
    for number in range(node.slots.count):
        uid = node.slots.first_uid + number
        lock = os.open(node.slots.folder / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return Identity(uid, uid, lock)
    raise NoFreeSlot(f"all {node.slots.count} slots are in use")


def enter_namespace() -> None:
    """A mount namespace of this process's own; as an ordinary user inside a user namespace of its own."""
    uid, gid = os.getuid(), os.getgid()
    if os.geteuid() == 0:
        kernel.unshare(kernel.CLONE_NEWNS)
    else:
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    kernel.keep_mounts_here()


def build(spec: RunSpec, node: Node, identity: Identity) -> int:
    """Mount and fill the stage; a descriptor of the working folder. Raises OSError."""
    stage = node.stage
    # Sources of binds may lie below the stage's own parents, so they are bound, not copied, after this mount.
    kernel.mount_tmpfs(str(stage), size=4 * MIB, inodes=4096, mode=0o711, uid=os.getuid(), gid=os.getgid())
    half = spec.memory_bytes // 2
    for name, size in (("work", spec.work_bytes), ("tmp", half), ("shm", half)):
        (stage / name).mkdir()
        kernel.mount_tmpfs(
            str(stage / name), size=size, inodes=MAX_INODES, mode=0o700, uid=identity.uid, gid=identity.gid
        )
    (stage / "etc").mkdir(mode=0o755)
    for name, text in bwrap.FAKE_ETC.items():
        (stage / "etc" / name).write_text(text)
    if node.interpreter.prefix:
        _show(node.interpreter.prefix, stage / "python")
    if spec.environment_digest:
        _show(str(node.root / "environments" / spec.environment_digest), stage / "env")
    (stage / "data").mkdir(mode=0o755)
    for number, (_name, path) in enumerate(spec.datasets):
        _show(path, stage / "data" / str(number))
    made = _write_sources(spec.files, stage / "work", identity)
    if spec.checkpoint is not None:
        _bring_checkpoint(spec.checkpoint, stage / "work", identity, made)
    return os.open(stage / "work", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _show(source: str, target: Path) -> None:
    """Bind by way of the stage, since the run's own user may not walk through its parents (/root, a home)."""
    if os.path.isdir(source):
        target.mkdir()
    else:
        target.touch()
    kernel.bind(source, str(target))


def _write_sources(files: Mapping[str, bytes], work: Path, identity: Identity) -> set[str]:
    """Write the sources; the folders that were made."""
    made: set[str] = set()
    for path, content in files.items():
        _make_folders(path, work, identity, made)
        (work / path).write_bytes(content)
        _give(work / path, 0o644, identity)
    return made


def _bring_checkpoint(files: Iterable[CheckpointFile], work: Path, identity: Identity, made: set[str]) -> None:
    """Put what an earlier run saved where it saved it. Nothing runs here yet that could lay a link in the way."""
    _make_folders(f"{CHECKPOINT}/", work, identity, made)
    for saved in files:
        _make_folders(saved.path, work, identity, made)
        shutil.copyfile(saved.file, work / saved.path)
        _give(work / saved.path, 0o644, identity)


def _make_folders(path: str, work: Path, identity: Identity, made: set[str]) -> None:
    for folder in (path[:at] for at, char in enumerate(path) if char == "/"):
        if folder not in made:
            (work / folder).mkdir()
            _give(work / folder, 0o755, identity)
            made.add(folder)


def _give(path: Path, mode: int, identity: Identity) -> None:
    os.chmod(path, mode)
    os.chown(path, identity.uid, identity.gid)


@dataclass(frozen=True, slots=True)
class Pipes:
    """The sandbox's ends: `orders` are read, the others are written."""

    orders: int
    output: int
    began: int
    info: int


def become_sandbox(node: Node, group: Group | None, pipes: Pipes) -> None:
    """Turn this forked child into bubblewrap; never returns, and an error goes to the output pipe.

    It reads its orders twice: what it becomes, the pickled (`RunSpec`, `Identity`), and `GO` before the last step,
    when the runner has built the stage. A runner that dies closes the pipe, and this ends.
    """
    try:
        if group is not None:
            group.join(os.getpid())
        orders = os.fdopen(pipes.orders, "rb")
        try:
            spec, identity = pickle.load(orders)  # noqa: S301  # from the runner, this process's parent
        except EOFError:
            os._exit(1)
        _set_limits(spec, is_unconfined=group is None)
        Path("/proc/self/oom_score_adj").write_text("500")
        parent = os.getppid()
        kernel.empty_bounding_set()
        if node.slots is not None:
            os.setgroups([])
            os.setresgid(identity.gid, identity.gid, identity.gid)
            os.setresuid(identity.uid, identity.uid, identity.uid)
        kernel.no_new_privileges()
        kernel.die_with_parent(signal.SIGKILL)  # after the change of user, which clears it
        if os.getppid() != parent:
            os._exit(1)
        if orders.read(len(GO)) != GO:
            os._exit(1)
        for ignored in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):  # by the launcher and by Python
            signal.signal(ignored, signal.SIG_DFL)
        _place_descriptors(node, pipes)
        descriptors = bwrap.Descriptors(info=_INFO, seccomp=_SECCOMP, began=_BEGAN)
        os.execve(node.bwrap, bwrap.arguments(spec, node, node.stage, descriptors), {})  # noqa: S606
    except BaseException as error:  # a forked child must not run its parent's code on
        os.write(pipes.output, f"sandbox: {error}\n".encode())
    finally:
        os._exit(1)


def _set_limits(spec: RunSpec, *, is_unconfined: bool) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: spec.memory_bytes,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_MSGQUEUE: 819_200,
        resource.RLIMIT_RTPRIO: 0,
    }
    if is_unconfined and not bwrap.real_gpus(spec):  # CUDA reserves terabytes of address space
        limits[resource.RLIMIT_AS] = spec.memory_bytes + ADDRESS_SPACE_SLACK
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _place_descriptors(node: Node, pipes: Pipes) -> None:
    """0 reads nothing, 1 and 2 are the output, and bubblewrap's own follow; all else closes on exec."""
    program = os.memfd_create("seccomp")
    os.write(program, node.seccomp)
    os.lseek(program, 0, os.SEEK_SET)
    nothing = os.open("/dev/null", os.O_RDONLY)
    wanted = {0: nothing, 1: pipes.output, 2: pipes.output, _BEGAN: pipes.began, _INFO: pipes.info, _SECCOMP: program}
    lifted = {number: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 64) for number, source in wanted.items()}
    for number, source in lifted.items():
        os.dup2(source, number)
