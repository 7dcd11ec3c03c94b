"""What the planner is given: the pool, the queue and the accounts at one instant, as plain frozen values.

Times are seconds since the epoch (floats, ``datetime.timestamp()`` at the edge), durations are seconds. Ids are
whatever the database uses (integers, strings, UUIDs); one kind must use one type, so that ties break by id.
The order of the tuples never changes a plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

Id: TypeAlias = int | str | UUID


@dataclass(frozen=True, slots=True)
class SiteState:
    """A campus's part of the pool. A closed site starts nothing; what runs there goes on."""

    id: Id
    is_open: bool = True
    power_cap_w: float | None = None
    #: What the site draws before any GPU works (hosts, network, cooling), counted against the cap.
    base_power_w: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node with its GPUs, all of one type. ``free_gpus`` are the healthy ones that no open attempt holds."""

    id: Id
    site_id: Id
    name: str
    gpu_type: str
    gpu_memory_mib: int
    gpus_total: int
    free_gpus: tuple[int, ...]
    #: False while the node drains, is down, or its heartbeat is overdue.
    is_schedulable: bool = True
    #: Digests of the environments that are built and ready on the node.
    environments: frozenset[str] = frozenset()
    watts_per_gpu: float = 0.0


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account of the quota tree. Siblings share in proportion to their weights."""

    id: Id
    parent_id: Id | None
    weight: float = 1.0
    #: At most so many GPUs may run under this account (itself and everything below it); None is no cap.
    max_running_gpus: int | None = None
    #: GPU-seconds charged to this account itself, each decayed to ``now`` (see ``fair_share.decayed``).
    #: Leave out what descendants used (the planner sums up the tree) and what still runs (it counts that too).
    decayed_use_gpu_s: float = 0.0
    #: A closed account starts nothing, nor does anything below it.
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class RunningJob:
    """An open attempt: claimed, starting or running. It holds its GPUs until ``started_at + wall_s`` at the latest."""

    job_id: Id
    owner_id: Id
    account_id: Id
    node_id: Id
    gpu_indices: tuple[int, ...]
    started_at: float
    wall_s: float
    #: Predicted length of the whole run (``predict.Prediction``), None where nothing is known.
    predicted_p50_s: float | None = None
    predicted_p90_s: float | None = None


@dataclass(frozen=True, slots=True)
class PendingJob:
    """A job that waits. ``gpus`` are all on one node."""

    id: Id
    owner_id: Id
    account_id: Id
    submitted_at: float
    gpus: int
    wall_s: float
    #: When it began to wait for GPUs: later than ``submitted_at`` if it waited for something else first.
    eligible_at: float | None = None
    gpu_type: str | None = None
    min_gpu_memory_mib: int | None = None
    #: Must run there; None is anywhere.
    required_site_id: Id | None = None
    #: Rather there, if there is room; it never makes the job wait.
    preferred_site_id: Id | None = None
    #: Last moment at which the run should have ended; it gives a bounded boost as slack falls.
    deadline_at: float | None = None
    predicted_p50_s: float | None = None
    predicted_p90_s: float | None = None
    #: 1 for the first attempt. A higher number means that the platform lost an attempt.
    attempt: int = 1
    #: Nodes that have this environment ready are preferred slightly; any other builds it.
    environment: str | None = None
    not_before: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the planner may look at. Each account named by a job is in ``accounts``, with its ancestors."""

    sites: tuple[SiteState, ...] = ()
    nodes: tuple[NodeState, ...] = ()
    accounts: tuple[AccountState, ...] = ()
    running: tuple[RunningJob, ...] = ()
    pending: tuple[PendingJob, ...] = ()
