"""What the planner answers: starts, waits with a named reason, reservations, and what the pass cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from uuid import UUID

from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, Part


class WaitReason(StrEnum):
    """Why a job does not start now. The value is stored; the words live in ``labs/scheduling/words.py``."""

    #: Nobody before it, but no node has that many of its GPUs free at once. Ends when a run ends.
    RESOURCES = "resources"
    #: Others that want the same GPUs go before it. Ends when they have started.
    BEHIND_OTHERS = "behind_others"
    #: It asks for one type of GPU, all of those are busy, and others are free.
    GPU_TYPE_BUSY = "gpu_type_busy"
    #: There are free GPUs, kept for a job that was first and needs many at once.
    RESERVED_FOR_WIDE_JOB = "reserved_for_wide_job"
    #: No node of the pool, not even an idle one, could ever run it.
    NO_SUCH_NODE = "no_such_node"
    #: It asks for a part of a GPU, and no node that could run it lets jobs share one.
    NOT_SHARED = "not_shared"
    #: The only nodes that could run it are draining or down.
    NODES_DRAINING = "nodes_draining"
    #: The only nodes that could run it are at a closed site.
    SITE_CLOSED = "site_closed"
    #: The site may draw no more power.
    POWER_CAP = "power_cap"
    #: An account above it (or its own) runs as many GPUs as it may at once.
    ACCOUNT_CAP = "account_cap"
    #: Its owner runs as many GPUs as a learner may at once.
    LEARNER_CAP = "learner_cap"
    #: Its account, or one above it, is closed.
    ACCOUNT_CLOSED = "account_closed"
    #: It was told not to start before a time.
    NOT_BEFORE = "not_before"
    #: The free GPUs are kept for a class. Ends with the class, or when nobody of it comes.
    CLASS_RESERVATION = "class_reservation"
    #: The free GPUs are another campus's, which does not lend them now (or not for so long a run).
    LENDING_CLOSED = "lending_closed"
    #: The free GPUs are another campus's, which lends as many as it will already.
    LENDING_CAP = "lending_cap"
    #: Its own campus has lent the GPUs. Ends when the borrower's run ends, within the window at the latest.
    LENT_OUT = "lent_out"
    #: Jobs that it depends on are still open.
    DEPENDENCY = "dependency"
    #: As many jobs of its sweep run as may at once.
    GROUP_CAP = "group_cap"
    #: Preemptible runs have been asked to make room for it.
    PREEMPTING = "preempting"
    #: The pass had made all the decisions that one pass may make; the next one looks at it.
    NEXT_PASS = "next_pass"  # noqa: S105
    #: Submitted, no pass has seen it yet. The planner never gives it; pages show it until the first pass.
    JUST_SUBMITTED = "just_submitted"


#: What its owner, its account or what it asks for set: time so spent is no fault of the platform's.
OWN_REASONS = frozenset(
    {
        WaitReason.NO_SUCH_NODE,
        WaitReason.NOT_SHARED,
        WaitReason.ACCOUNT_CAP,
        WaitReason.LEARNER_CAP,
        WaitReason.ACCOUNT_CLOSED,
        WaitReason.NOT_BEFORE,
        WaitReason.DEPENDENCY,
        WaitReason.GROUP_CAP,
    }
)


@dataclass(frozen=True, slots=True)
class WaitFacts:
    """The facts behind a reason, for the sentence a page says. Only those that its reason needs are set."""

    gpus_wanted: int = 0
    #: The most GPUs that any one node it could use has free now.
    gpus_free_on_one_node: int | None = None
    #: Free GPUs now, over all nodes it could use.
    gpus_free_in_all: int | None = None
    #: The most GPUs that any one node it could use has at all.
    gpus_most_on_one_node: int | None = None
    gpu_type: str | None = None
    min_gpu_memory_mib: int | None = None
    site_id: Id | None = None
    #: The node that is expected to come free first, or that is reserved.
    node_id: Id | None = None
    #: The job that the free GPUs are kept for, or the one it waits behind.
    job_id: Id | None = None
    account_id: Id | None = None
    cap: int | None = None
    #: GPUs that run under the cap now; a share counts as its part.
    running_gpus: float | None = None
    #: When the wait ends at the latest, as far as wall limits and dates promise it.
    until_at: float | None = None
    watts_wanted: float | None = None
    watts_free: float | None = None
    #: Set for gangs: nodes wanted, and nodes it could use that have enough GPUs free now.
    nodes_wanted: int | None = None
    nodes_free: int | None = None
    #: Set for fractions: thousandths of a GPU wanted.
    gpu_milli: int | None = None
    #: The class that the GPUs are kept for, and when it begins.
    reservation_id: Id | None = None
    from_at: float | None = None
    #: Jobs of its sweep that run now.
    running_jobs: int | None = None
    #: Jobs that it depends on and that are open.
    jobs_open: int | None = None

    def as_json(self) -> dict[str, int | float | str]:
        """The facts that are set, as JSON can hold them: this is what is stored with a job and what words read."""
        values = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: str(value) if isinstance(value, UUID) else value for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class Factors:
    """Why a job is where it is in the order: each part as it was added, and the sum. Higher goes first."""

    fair_share: float
    age: float
    shortness: float
    slack: float
    lost_attempt: float
    trial: float
    total: float


@dataclass(frozen=True, slots=True)
class Start:
    """Start this job now on these GPUs. ``node_id`` and ``gpu_indices`` are the first of ``parts``."""

    job_id: Id
    node_id: Id
    gpu_indices: tuple[int, ...]
    factors: Factors
    #: True if it started ahead of a job that was before it in the order.
    is_backfilled: bool = False
    #: All of its nodes with its GPUs there.
    parts: tuple[Part, ...] = ()
    #: Thousandths of its one GPU, and the memory (MiB) that goes with them, 0 for whole GPUs.
    gpu_milli: int = WHOLE_GPU
    gpu_memory_mib: int = 0
    #: The class reservation upon which it starts.
    reservation_id: Id | None = None
    #: It runs on a site that another account owns.
    is_borrowed: bool = False

    @property
    def places(self) -> tuple[Part, ...]:
        """All of its nodes with its GPUs there."""
        return self.parts or (Part(self.node_id, self.gpu_indices),)


class PreemptReason(StrEnum):
    """Why a run is asked to end. The value is stored with its timeline."""

    #: A job that goes before it needs the GPUs.
    FOR_JOB = "for_job"
    #: A class begins.
    FOR_CLASS = "for_class"
    #: The campus that lent the GPUs needs them itself.
    TAKEN_BACK = "taken_back"
    #: The window of lending ends.
    LENDING_ENDS = "lending_ends"


@dataclass(frozen=True, slots=True)
class Preempt:
    """Ask this run to save its work and end: for a job, for a class, or (both None) since a lending ends."""

    job_id: Id
    reason: PreemptReason
    for_job_id: Id | None = None
    for_reservation_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a job waits, its place, and when it is expected to start. Times are None where nobody can say."""

    reason: WaitReason
    #: 1 is next. See docs/decisions/0003: those before it that could use the same GPUs and are not held back.
    place: int
    start_p50_at: float | None
    start_p90_at: float | None
    facts: WaitFacts
    factors: Factors
    #: The wait in seconds as planned, before it was fitted to what became of others; None where a date or a run that
    #: was asked to end decides instead.
    planned_p50_s: float | None = None
    planned_p90_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A promise to a blocked job: this node at this time at the latest, as wall limits have it."""

    job_id: Id
    node_id: Id
    gpus: int
    start_at: float
    #: All nodes of a gang, the first one too; ``gpus`` are those on each.
    node_ids: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Every pending job is either in ``starts`` or has exactly one entry in ``waits``."""

    starts: tuple[Start, ...] = ()
    waits: Mapping[Id, Wait] = field(default_factory=dict)
    reservations: tuple[Reservation, ...] = ()
    #: Runs to ask to end. Their GPUs are not free yet, so what they make room for waits until they are.
    preempts: tuple[Preempt, ...] = ()
    #: Counts of the pass: jobs looked at, classes, nodes.
    stats: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a job would meet if it were submitted now. ``reason`` is None if it would start at once."""

    start_p50_at: float | None
    start_p90_at: float | None
    place: int
    reason: WaitReason | None
    facts: WaitFacts
