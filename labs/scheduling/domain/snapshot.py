"""What the planner is given: the pool, the queue and the accounts at one instant, as plain frozen values.

Times are seconds since the epoch (floats, ``datetime.timestamp()`` at the edge), durations are seconds. Ids are
whatever the database uses (integers, strings, UUIDs); one kind must use one type, so that ties break by id.
The order of the tuples never changes a plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias
from uuid import UUID

Id: TypeAlias = int | str | UUID


#: Thousandths of a whole GPU.
WHOLE_GPU = 1_000


class Part(NamedTuple):
    """GPUs of one node that a job holds, lowest first."""

    node_id: Id
    gpu_indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SiteState:
    """A campus's part of the pool. A closed site starts nothing; what runs there goes on."""

    id: Id
    is_open: bool = True
    power_cap_w: float | None = None
    #: What the site draws before any GPU works (hosts, network, cooling), counted against the cap.
    base_power_w: float = 0.0
    #: The site's GPUs are those of this account and all below it; others need a lending. None: they are everybody's.
    owner_account_id: Id | None = None


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
    #: GPUs that fractions share, none of them in ``free_gpus``: (index, free thousandths, free memory in MiB).
    partly_free: tuple[tuple[int, int, int], ...] = ()
    #: Digests of the data sets that lie on the node.
    data_sets: frozenset[str] = frozenset()
    #: Fractions may run there: something on the node keeps each to its share.
    is_shareable: bool = True


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
    """An open attempt: claimed, starting or running. It holds its GPUs until ``started_at + wall_s`` at the latest.

    ``node_id`` and ``gpu_indices`` are the first of its parts.
    """

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
    #: All of its nodes; may be left empty by a run on one.
    parts: tuple[Part, ...] = ()
    #: Thousandths of its one GPU, and the memory that goes with them; a whole GPU has no memory of its own here.
    gpu_milli: int = WHOLE_GPU
    gpu_memory_mib: int = 0
    is_preemptible: bool = False
    #: Seconds it is given to save its work once it is asked to end.
    grace_s: float = 0.0
    #: It has been asked to end and is not asked again; its GPUs come free at ``ends_by_at``.
    is_ending: bool = False
    ends_by_at: float | None = None
    #: The job that it makes room for.
    ending_for_job_id: Id | None = None
    #: The class reservation upon which it was started.
    reservation_id: Id | None = None
    #: It runs on a site that another account owns.
    is_borrowed: bool = False
    group_id: Id | None = None

    @property
    def places(self) -> tuple[Part, ...]:
        """All of its nodes with its GPUs there."""
        return self.parts or (Part(self.node_id, self.gpu_indices),)

    @property
    def gpus_held(self) -> float:
        """GPUs that it counts for under a cap: a fraction counts as its share."""
        whole = sum(len(part.gpu_indices) for part in self.places)
        return whole if self.gpu_milli >= WHOLE_GPU else self.gpu_milli / WHOLE_GPU


@dataclass(frozen=True, slots=True)
class PendingJob:
    """A job that waits. ``gpus`` are those it wants on each of its ``nodes``."""

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
    #: Last moment at which the run should have ended, less the wait that it was told (``slack.due_less_wait``). It
    #: gives a bounded boost as slack falls.
    deadline_at: float | None = None
    predicted_p50_s: float | None = None
    predicted_p90_s: float | None = None
    #: 1 for the first attempt. A higher number means that the platform lost an attempt.
    attempt: int = 1
    #: Nodes that have this environment ready are preferred slightly; any other builds it.
    environment: str | None = None
    not_before: float | None = None
    #: A gang: so many nodes with ``gpus`` on each, all at once or none.
    nodes: int = 1
    #: Thousandths of a GPU; less than a whole one only with one GPU on one node. ``min_gpu_memory_mib`` is then the
    #: memory of the share; left open, its part of the GPU's.
    gpu_milli: int = WHOLE_GPU
    #: It may be asked to end (with ``grace_s`` to save its work) and is then queued again.
    is_preemptible: bool = False
    grace_s: float = 0.0
    #: Runs were asked to end to make room for it, so it goes first when they have.
    has_room_made: bool = False
    #: What it works at (a lab, say): predictions and the deadline boost go by it.
    work_key: str = ""
    #: GPU-seconds of this owner and work that were started with a deadline boost already.
    slack_spent_s: float = 0.0
    #: It goes first for others of its burst, which are as long as it turns out to be (``predict.trials``).
    is_trial: bool = False
    #: Digests of the data sets it reads: nodes that have them are preferred.
    data_sets: frozenset[str] = frozenset()
    #: Jobs that must have ended before it may start, as far as they are open.
    waits_for: tuple[Id, ...] = ()
    #: A sweep, and how many of its jobs may run at once; None is no cap.
    group_id: Id | None = None
    max_running_of_group: int | None = None


@dataclass(frozen=True, slots=True)
class ReservationState:
    """GPUs kept for a class: for jobs whose account is ``account_id`` or below it, on one site.

    Until ``start_at`` others may run there if they end by their wall limit before it or are preemptible. From
    ``release_at`` on, what nobody of the cohort uses is free again; the edge moves it later while the cohort comes.
    """

    id: Id
    account_id: Id
    site_id: Id
    gpus: int
    start_at: float
    end_at: float
    release_at: float
    gpu_type: str | None = None


@dataclass(frozen=True, slots=True)
class LendingState:
    """A site lends up to ``max_gpus`` to another account and all below it (None: to anybody) within a window.

    A run that is not preemptible must end by its wall limit before ``until_at``; a preemptible one may be taken back
    when the owner's job waits for it.
    """

    lender_site_id: Id
    borrower_account_id: Id | None
    max_gpus: int
    from_at: float
    until_at: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the planner may look at. Each account named by a job is in ``accounts``, with its ancestors."""

    sites: tuple[SiteState, ...] = ()
    nodes: tuple[NodeState, ...] = ()
    accounts: tuple[AccountState, ...] = ()
    running: tuple[RunningJob, ...] = ()
    pending: tuple[PendingJob, ...] = ()
    reservations: tuple[ReservationState, ...] = ()
    lendings: tuple[LendingState, ...] = ()
