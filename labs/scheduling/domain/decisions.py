"""What the planner answers: starts, waits with a named reason, reservations, and what the pass cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from uuid import UUID

from labs.scheduling.domain.snapshot import Id


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
    #: The pass had made all the decisions that one pass may make; the next one looks at it.
    NEXT_PASS = "next_pass"  # noqa: S105
    #: Submitted, no pass has seen it yet. The planner never gives it; pages show it until the first pass.
    JUST_SUBMITTED = "just_submitted"


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
    #: GPUs that run under the cap now.
    running_gpus: int | None = None
    #: When the wait ends at the latest, as far as wall limits and dates promise it.
    until_at: float | None = None
    watts_wanted: float | None = None
    watts_free: float | None = None

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
    total: float


@dataclass(frozen=True, slots=True)
class Start:
    """Start this job now on these GPUs of this node."""

    job_id: Id
    node_id: Id
    gpu_indices: tuple[int, ...]
    factors: Factors
    #: True if it started ahead of a job that was before it in the order.
    is_backfilled: bool = False


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


@dataclass(frozen=True, slots=True)
class Reservation:
    """A promise to a blocked job: this node at this time at the latest, as wall limits have it."""

    job_id: Id
    node_id: Id
    gpus: int
    start_at: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Every pending job is either in ``starts`` or has exactly one entry in ``waits``."""

    starts: tuple[Start, ...] = ()
    waits: Mapping[Id, Wait] = field(default_factory=dict)
    reservations: tuple[Reservation, ...] = ()
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
