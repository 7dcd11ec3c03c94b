"""The one contract of every executor: what a node is told to run, and what it answers.

Plain values and protocols; nothing here knows Django, Celery or a job's place in the ledger.

How an agent uses it, one thread a job::

    run = executor.start(spec, listener)   # returns at once, set-up goes on behind it
    ended = run.wait()                     # calls the listener, on this very thread, until the run is over
    ...                                    # upload ended.outputs from their local files
    run.close()                            # drops those files

`Run.stop`, `Run.kill` and `Run.keep` may be called from any thread at any time (heartbeat, lease watchdog), also
while the waiting thread is stuck inside a callback: they never wait for it. A callback that raises
kills the run; `wait` then raises that error once nothing of the run is left.

Callbacks and not a queue: the job's thread has nothing else to do, so a queue would only add a place
to lose order and memory. While a callback is slow the job's output backs up and the job itself waits
on its pipe; limits are enforced all the same.

A Slurm executor satisfies this later without a change: `start` is `sbatch` with the files staged,
`wait` follows the job's log file and `sacct` and calls the listener as it reads, `stop` is
`scancel --signal=TERM`, `kill` is `scancel --signal=KILL --full`, `prepare` builds on the shared file
system, `confinement` reports what the cluster's cgroup.conf enforces.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

CHECKPOINT = "checkpoint"
"""The folder in `/work` where a preemptible run saves what it needs to go on."""

WHOLE_GPU = 1_000
"""Thousandths of a whole GPU."""

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


class EndReason(enum.StrEnum):
    """Why a run ended. Everything but `EXECUTOR_ERROR` is the job's own doing, or was asked for."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_FLOOD = "output_flood"
    STOPPED = "stopped"
    """`stop` or `kill` was called; `RunEnded.detail` is the reason that was given."""
    EXECUTOR_ERROR = "executor_error"
    """The platform's fault: the job never began, or what ran it broke. Refund it."""


@dataclass(frozen=True, slots=True)
class GpuGrant:
    """One GPU (or declared CPU slot) that this run may use."""

    index: int
    uuid: str
    kind: Literal["nvidia", "cpu-slot"]
    device_path: str | None = None
    """`/dev/nvidiaN`; None for a CPU slot."""
    memory_mib: int = 0
    """All of it, or what goes with a share."""
    milli: int = WHOLE_GPU
    """Thousandths of it; others may run on the rest."""

    @property
    def is_share(self) -> bool:
        return self.milli < WHOLE_GPU


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """A package environment: pip requirements with hashes, for one minor version of Python ("3.11")."""

    requirements: str
    python_version: str

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the Python version and the requirements text; the environment's name."""
        return hashlib.sha256(f"python {self.python_version}\n{self.requirements}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PreparedEnvironment:
    """An environment that lies built on this node."""

    digest: str
    path: Path
    python_version: str
    """The full version that it was built with ("3.11.2")."""
    packages: tuple[tuple[str, str], ...]
    size_bytes: int
    built_at: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True)
class OutputCaps:
    """How much of what a run says and writes is kept. Bytes, except where said."""

    log_head: int = 4 * MIB
    log_tail: int = 1 * MIB
    log_flood: int = 64 * MIB
    """A run that prints more than this is killed with `OUTPUT_FLOOD`."""
    files: int = 200
    """Number of output files."""
    total: int = 256 * MIB
    """All output files together."""
    depth: int = 8
    """Path components of an output's name, its own included."""


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """A file that an earlier run saved."""

    path: str
    """As an output's: `checkpoint/…`."""
    file: Path
    """Where its bytes lie on this node until the run is over."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """All that a run needs. Memory and disk in bytes, times in seconds."""

    run_id: str
    """Unique on the node; letters, digits, `-` and `_` only, at most 64 of them."""
    files: Mapping[str, bytes]
    """Sources by relative POSIX path, written to `/work`, the working and output directory."""
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    environment_digest: str | None = None
    """A prepared environment, seen at `/env`; None runs with the node's plain Python."""
    datasets: tuple[tuple[str, str], ...] = ()
    """(NAME, folder on the host), seen read-only at `/data/NAME`."""
    checkpoint: tuple[CheckpointFile, ...] | None = None
    """What is put into `/work/checkpoint` before it begins; the program finds that folder by CAMPUS_CHECKPOINT_DIR.
    None for a run that saves none: it gets no such folder."""
    gpus: tuple[GpuGrant, ...] = ()
    mps_pipe: str | None = None
    """The folder on the host where NVIDIA's MPS control daemon is spoken to, for a share of a real GPU; None: none."""
    cpu_cores: float = 1.0
    memory_bytes: int = 1 * GIB
    """All memory the run can hold, files in `/work`, `/tmp` and `/dev/shm` included (they are memory)."""
    work_bytes: int = 256 * MIB
    """Size of `/work`; at most `memory_bytes`."""
    max_processes: int = 256
    """Processes and threads together."""
    wall_s: float = 3600.0
    """Counted from the job's first instruction, set-up excluded. At its end SIGTERM is sent, and the kill after
    `term_grace_s`: `RunEnded.run_seconds` may be that much longer, so a settlement caps what it charges."""
    term_grace_s: float = 10.0
    """Between SIGTERM and the kill, when stopped (unless `stop` says another) or timed out."""
    caps: OutputCaps = field(default_factory=OutputCaps)


@dataclass(frozen=True, slots=True)
class Output:
    """One file that the run wrote or changed."""

    path: str
    """Relative POSIX path as the learner sees it; NFC, printable, no `..`."""
    size: int
    sha256: str
    file: Path
    """Where its bytes lie on this node until `Run.close`."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """What became of a run."""

    reason: EndReason
    exit_code: int | None = None
    """The main process's exit code; None when a signal ended it or it never began."""
    signal: int | None = None
    run_seconds: float = 0.0
    """Monotonic, from the job's first instruction to its end; 0 when it never began. Excludes set-up."""
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    log_bytes_seen: int = 0
    """What the job printed, kept or not."""
    log_truncated: bool = False
    outputs: tuple[Output, ...] = ()
    """Those of the checkpoint come first, so that no other file takes their room."""
    checkpoint_seconds: float | None = None
    """Which second of the run saved the checkpoint's newest file (0: it is as it was brought); None: there is none."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(name made printable, why it was not kept)."""
    detail: str = ""
    """One line for the operator, or the reason given to `stop`."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What this node can contain. `refused` runs nothing; `unconfined` says so wherever it is shown."""

    level: Literal["full", "unconfined", "refused"]
    cgroup: Literal["v1", "v2"] | None = None
    missing: tuple[str, ...] = ()
    """What stands in the way of `full`, each with its remedy, for people to read."""


class ExecutorError(Exception):
    """An executor could not do what it was asked; the message is for an operator."""


class ConfinementRefused(ExecutorError):
    """This node cannot contain learners' code, and was not told to run it all the same."""


class InvalidRunSpec(ExecutorError, ValueError):
    """The run's description breaks a rule of `RunSpec`."""


class EnvironmentMissing(ExecutorError):
    """The run names an environment that was not prepared on this node."""


class EnvironmentBuildFailed(ExecutorError):
    """An environment could not be built; `output` is the last of what the builder printed."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(f"{message}\n{output}" if output else message)
        self.output = output


class RunListener(Protocol):
    """What an agent wants to hear of a run. Called on the thread that waits, never two at once."""

    def on_started(self) -> None:
        """The job's first instruction is about to run. At most once, before anything else."""

    def on_log(self, chunk: bytes) -> None:
        """The next bytes of stdout and stderr, raw, in order, 1 byte to 64 KiB.

        Their concatenation is the log to keep: the head, and for long output a line that says how
        many bytes were left out, then the tail, which arrives at the end.
        """

    def on_metric(self, point: Mapping[str, float]) -> None:
        """One line of numbers that the job printed or appended to `metrics.jsonl`; all finite."""


class Run(Protocol):
    """One run under way."""

    def stop(self, reason: str, grace_s: float | None = None) -> None:
        """Ask it to end: SIGTERM to the main process, the kill after `grace_s` (`term_grace_s`). Returns at once.

        Asked again, the earlier of the two kills counts; there is one SIGTERM.
        """

    def kill(self, reason: str) -> None:
        """End it now, all of it. Returns at once; also overrides a `stop` in its grace time."""

    def keep(self, until_s: float) -> None:
        """Let it run until then (CLOCK_BOOTTIME), and no longer unless a later `keep` comes. Returns at once.

        For a lease: the run then ends in time, with EXECUTOR_ERROR, also when the whole agent is frozen.
        Without any call there is no such end.
        """

    def wait(self) -> RunEnded:
        """Call the listener until nothing of the run is left. Call it once, from one thread."""

    def close(self) -> None:
        """Drop the run's output files; kills it first if it still runs. May be called twice."""


class Executor(Protocol):
    """Runs jobs on this node. Safe to use from several threads."""

    def confinement(self) -> Confinement:
        """What this node can contain, found out once by trying it."""

    def prepare(self, environment: EnvironmentSpec) -> PreparedEnvironment:
        """Build the environment unless it is there. May take minutes.

        Raises `EnvironmentBuildFailed`.
        """

    def start(self, spec: RunSpec, listener: RunListener) -> Run:
        """Begin a run.

        Raises `ConfinementRefused`, `InvalidRunSpec`, `EnvironmentMissing`.
        """

    def close(self) -> None:
        """Kill what still runs and let go of the node."""
