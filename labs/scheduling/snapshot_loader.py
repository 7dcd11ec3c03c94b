"""From the database to the planner's values, in a fixed number of queries whatever the size of pool and queue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import BigIntegerField, DateTimeField, F, Func

from campus.core.compiled import AnyOf, Compiled, Given
from infra.pool.models import Gpu, Node, NodeEnvironment
from labs.jobs.domain.dependencies import Verdict, judge
from labs.jobs.domain.shares import NOTHING_LEFT, WHOLE_GPU, Held, Piece, left_of
from labs.jobs.models import Attempt, Dependency, Job
from labs.quota.models import Account

from . import kept_loader, run_samples
from .domain import predict
from .domain.fair_share import decayed
from .domain.fitting import Fit
from .domain.policy import Policy
from .domain.predict import burst_of
from .domain.slack import due_less_wait
from .domain.snapshot import AccountState, NodeState, PendingJob, RunningJob, Snapshot
from .models import SchedulerMark
from .run_samples import Samples

#: A node that missed so many heartbeats is given nothing new, long before it counts as down.
MISSED_HEARTBEATS = 3
#: Seconds from the end of its grace until a run that was asked to end has surely let go of its GPUs.
STOP_S = 15.0
#: So long a job for which others made room goes before the rest.
ROOM_IS_KEPT = timedelta(hours=1)

_PENDING = (
    "id", "owner_id", "account_id", "submitted_at", "gpus", "wall_s", "gpu_type", "preferred_campus_id", "deadline_at",
    "attempts_made", "environment__digest", "work_key", "sweep_id", "sweep__max_running",
    "kept_s", "preempted_count", "is_preemptible", "gpu_milli", "gpu_memory_mib",
    "promised_p90_at",
)  # fmt: skip

_STORED = ("wait_reason", "wait_facts", "queue_place", "start_p50_at", "start_p90_at")

_RUNNING = (
    "job_id", "job__owner_id", "job__account_id", "node_id", "job__wall_s", "job__work_key",
    "started_at", "claimed_at", "assigned_at", "id", "job__sweep_id", "job__kept_s", "job__is_preemptible",
    "reservation_id", "is_borrowed", "preempt_requested_at", "preempt_grace_s", "preempt_for_job_id",
    "job__cancel_requested_at", "job__gpu_milli", "job__submitted_at",
)  # fmt: skip

_GPU = (
    "id", "node_id", "index", "gpu_type", "memory_mib", "watts", "is_healthy", "leases__attempt_id",
    "leases__milli__startswith", "leases__milli__endswith", "leases__memory_mib",
    "node__name", "node__site_id", "node__state", "node__confinement", "node__heartbeat_at", "node__shares_gpus",
)  # fmt: skip

_ACCOUNT = (
    "id", "parent_id", "weight", "max_running_gpus", "is_open",
    "fair_share_use__gpu_seconds", "fair_share_use__as_of",
)  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """What a pending job's row says of its wait, from the cycle before."""

    reason: str
    facts: Mapping[str, Any]
    place: int | None
    start_p50_at: datetime | None
    start_p90_at: datetime | None


@dataclass(frozen=True)
class Loaded:
    """The snapshot, and the way back from its ids to rows."""

    snapshot: Snapshot
    gpu_ids: Mapping[tuple[int, int], int]
    """GPU row by (node state's id, index)."""
    node_ids: Mapping[int, int]
    """Node row by node state's id; a node with several types of GPU is several states."""
    stored: Mapping[int, Stored]
    site_of_campus: Mapping[int, int]
    samples: Samples


def policy() -> Policy:
    """The policy that this campus runs by."""
    return Policy(max_running_gpus_per_learner=settings.LABS_MAX_RUNNING_GPUS_PER_LEARNER)


def fitted_policy() -> Policy:
    """The same with start ranges as the last promises came true: what a person is told goes by it. One query."""
    stored = _FIT.row()
    return replace(policy(), fit=Fit.of((stored and stored[0]) or {}))


def load(now: datetime, *, extra: Iterable[tuple[int, int, str]] = ()) -> Loaded:
    """Read pool, queue, runs, accounts and finished run times as they stand. Twelve queries, and one for the data sets
    that lie on the nodes if a pending job reads any.

    `extra` are (account id, owner id, work key) of jobs that are not in the queue and are to be planned with it.
    """
    wanted = list(extra)
    pending_rows, running_rows = _QUEUED.rows(), _OPEN.rows()
    follows, cleared_for = _dependencies(), _cleared_for(now)
    pairs = {(row[11], row[1]) for row in pending_rows} | {(row[5], row[1]) for row in running_rows}
    due = {(row[11], row[1]) for row in pending_rows if row[8] is not None}
    samples = run_samples.load(pairs | {(key, owner_id) for _account, owner_id, key in wanted}, now, due)
    trials = _trials(pending_rows, running_rows, samples)
    sites, site_of_campus = kept_loader.sites()
    reads = _reads()
    nodes, gpu_ids, node_ids, held = _nodes(now, dict(_LYING.rows()) if reads else {})
    account_ids = {row[2] for row in pending_rows} | {row[2] for row in running_rows}
    snapshot = Snapshot(
        sites=sites,
        nodes=nodes,
        accounts=_accounts(account_ids | {account_id for account_id, _owner, _key in wanted}, now),
        # What ended between two of these queries holds nothing any more.
        running=tuple(_running(row, held, samples) for row in running_rows if row[9] in held),
        pending=tuple(
            _pending(
                row,
                now,
                site_of_campus,
                samples,
                follows.get(row[0], _FREE),
                frozenset(reads.get(row[0], ())),
                has_room_made=row[0] in cleared_for,
                is_trial=row[0] in trials,
            )
            for row in pending_rows
        ),
        reservations=kept_loader.reservations(now),
        lendings=kept_loader.lendings(now),
    )
    stored = {row[0]: Stored(*row[len(_PENDING) :]) for row in pending_rows}
    return Loaded(snapshot, gpu_ids, node_ids, stored, site_of_campus, samples)


# Every cycle asks these, and all but the time they are asked for is the same.
_QUEUED = Compiled(lambda: Job.objects.filter(state=Job.State.QUEUED).order_by("id").values_list(*_PENDING, *_STORED))
_OPEN = Compiled(lambda: Attempt.objects.exclude(state=Attempt.State.ENDED).order_by("id").values_list(*_RUNNING))
_GPUS = Compiled(lambda: Gpu.objects.order_by("node_id", "index", "leases").values_list(*_GPU))
_BUILT = Compiled(
    lambda: NodeEnvironment.objects.filter(state=NodeEnvironment.State.READY).values_list("node_id", "digest")
)
_READS = Compiled(
    lambda: Job.data_sets.through.objects.filter(job__state=Job.State.QUEUED).values_list("job_id", "dataset__digest")
)
_LYING = Compiled(lambda: Node.objects.exclude(data_sets=[]).order_by().values_list("id", "data_sets"))
_PATHS = Compiled(
    lambda: Account.objects.filter(
        pk__in=Account.objects.filter(pk=AnyOf("ids")).values_list(_unnested("path"), flat=True)
    ).values_list(*_ACCOUNT)
)
_CLEARED = Compiled(
    lambda: Attempt.objects.filter(
        preempt_for_job_id__isnull=False, preempt_requested_at__gt=Given("after", DateTimeField())
    ).values_list("preempt_for_job_id")
)
_FOLLOWING = Compiled(
    lambda: Dependency.objects.filter(job__state=Job.State.QUEUED).values_list(
        "job_id", "after_id", "condition", "after__state", "after__ended_at"
    )
)
_FIT = Compiled(lambda: SchedulerMark.objects.filter(pk=1).values_list("start_fit"))


class Holding(NamedTuple):
    """What an open attempt holds: GPUs of a node state, and of a share the memory that goes with it in MiB."""

    state_id: int
    indices: tuple[int, ...]
    memory_mib: int = 0


Holdings = Mapping[int, Holding]


def _reads() -> dict[int, set[str]]:
    """By pending job the digests of the data sets that it reads. One query."""
    found: dict[int, set[str]] = {}
    for job_id, digest in _READS.rows():
        found.setdefault(job_id, set()).add(digest)
    return found


def _nodes(
    now: datetime, data_sets: Mapping[int, Sequence[str]]
) -> tuple[tuple[NodeState, ...], dict[tuple[int, int], int], dict[int, int], Holdings]:
    """Nodes with their free GPUs and the `data_sets` there, by node row; GPU rows; node rows; what each open attempt
    holds."""
    ready: dict[int, set[str]] = defaultdict(set)
    for node_id, digest in _BUILT.rows():
        ready[node_id].add(digest)
    groups: dict[tuple[int, str], list[tuple[Any, ...]]] = defaultdict(list)
    shares: dict[int, list[tuple[int, Held]]] = {}
    for row in _GPUS.rows():
        if row[7] is not None and row[9] - row[8] < WHOLE_GPU:
            of_gpu = shares.setdefault(row[0], [])
            of_gpu.append((row[7], Held(Piece(row[8], row[9]), row[10])))
            if len(of_gpu) > 1:  # the GPU is there already
                continue
        groups[row[1], row[3]].append(row)
    late_at = now - timedelta(seconds=MISSED_HEARTBEATS * settings.LABS_HEARTBEAT_S)
    states: list[NodeState] = []
    gpu_ids: dict[tuple[int, int], int] = {}
    node_ids: dict[int, int] = {}
    held: dict[int, tuple[int, list[int]]] = {}
    memory: dict[int, int] = {}
    for (node_id, gpu_type), gpus in groups.items():
        state_id = node_id if node_id not in node_ids else -len(node_ids) - 1
        node_ids[state_id] = node_id
        for gpu in gpus:
            gpu_ids[state_id, gpu[2]] = gpu[0]
            if gpu[0] in shares:
                for attempt_id, piece in shares[gpu[0]]:
                    held[attempt_id] = (state_id, [gpu[2]])
                    memory[attempt_id] = memory.get(attempt_id, 0) + piece.memory_mib
            elif gpu[7] is not None:
                held.setdefault(gpu[7], (state_id, []))[1].append(gpu[2])
        states.append(
            _node(
                state_id,
                gpu_type,
                gpus,
                shares,
                frozenset(ready[node_id]),
                late_at,
                frozenset(data_sets.get(node_id, ())),
            )
        )
    holdings = {key: Holding(node, tuple(found), memory.get(key, 0)) for key, (node, found) in held.items()}
    return tuple(states), gpu_ids, node_ids, holdings


def _node(
    state_id: int,
    gpu_type: str,
    gpus: Sequence[tuple[Any, ...]],
    shares: Mapping[int, Sequence[tuple[int, Held]]],
    ready: frozenset[str],
    late_at: datetime,
    data_sets: frozenset[str],
) -> NodeState:
    name, site_id, state, confinement, heartbeat_at, shares_gpus = gpus[0][11:]
    return NodeState(
        id=state_id,
        site_id=site_id,
        name=name,
        gpu_type=gpu_type,
        gpu_memory_mib=min(gpu[4] for gpu in gpus),
        gpus_total=len(gpus),
        free_gpus=tuple(gpu[2] for gpu in gpus if gpu[6] and gpu[7] is None),
        is_schedulable=(
            state == Node.State.UP
            and _is_confined(confinement)
            and heartbeat_at is not None
            and heartbeat_at >= late_at
        ),
        environments=ready,
        watts_per_gpu=float(max(gpu[5] for gpu in gpus)),
        partly_free=tuple(_partly_free(gpu, shares[gpu[0]]) for gpu in gpus if gpu[0] in shares),
        data_sets=data_sets,
        is_shareable=shares_gpus,
    )


def _partly_free(gpu: tuple[Any, ...], shares: Sequence[tuple[int, Held]]) -> tuple[int, int, int]:
    """What is left of a shared GPU: index, thousandths, MiB. Of a broken one nothing."""
    left = left_of((held for _attempt, held in shares), memory_mib=gpu[4]) if gpu[6] else NOTHING_LEFT
    return gpu[2], left.milli, left.memory_mib


def _is_confined(confinement: str) -> bool:
    """Fail closed: code runs unconfined only where the operator said so, on the node and here."""
    if confinement == Node.Confinement.UNCONFINED:
        return bool(settings.LABS_ALLOW_UNCONFINED)
    return confinement == Node.Confinement.FULL


def _accounts(account_ids: Iterable[int], now: datetime) -> tuple[AccountState, ...]:
    """The accounts with all above them, each with its own decayed use."""
    half_life_s = policy().half_life_s
    return tuple(
        AccountState(
            id=pk,
            parent_id=parent_id,
            weight=float(weight),
            max_running_gpus=cap,
            is_open=is_open,
            decayed_use_gpu_s=decayed(max(0.0, used), (now - as_of).total_seconds(), half_life_s) if used else 0.0,
        )
        for pk, parent_id, weight, cap, is_open, used, as_of in _PATHS.rows(ids=list(account_ids))
    )


def _unnested(field: str) -> Any:
    return Func(F(field), function="unnest", output_field=BigIntegerField())


def _running(row: tuple[Any, ...], held: Holdings, samples: Samples) -> RunningJob:
    (
        job_id, owner_id, account_id, _node_id, wall_s, work_key, started_at, claimed_at, assigned_at, attempt_id,
        sweep_id, kept_s, is_preemptible, reservation_id, is_borrowed, asked_at, grace_s, for_job_id, cancelled_at,
        gpu_milli, submitted_at,
    ) = row  # fmt: skip
    state_id, indices, memory_mib = held[attempt_id]
    predicted = samples.predict(work_key, owner_id, wall_s - kept_s, submitted_at)
    ends_by_at = None
    if cancelled_at is not None:
        ends_by_at = cancelled_at.timestamp() + STOP_S
    elif asked_at is not None:
        ends_by_at = asked_at.timestamp() + grace_s + STOP_S
    return RunningJob(
        job_id=job_id,
        owner_id=owner_id,
        account_id=account_id,
        node_id=state_id,
        gpu_indices=indices,
        started_at=(started_at or claimed_at or assigned_at).timestamp(),
        wall_s=float(wall_s - kept_s),
        predicted_p50_s=predicted.p50_s,
        predicted_p90_s=predicted.p90_s,
        gpu_milli=gpu_milli,
        gpu_memory_mib=memory_mib,
        is_preemptible=is_preemptible,
        grace_s=float(settings.LABS_PREEMPT_GRACE_S) if is_preemptible else 0.0,
        is_ending=ends_by_at is not None,
        ends_by_at=ends_by_at,
        ending_for_job_id=for_job_id,
        reservation_id=reservation_id,
        is_borrowed=is_borrowed,
        group_id=sweep_id,
    )


@dataclass(frozen=True)
class Follows:
    """Of a pending job that was to follow others: those that hold it back, and when the last of the rest ended."""

    waits_for: tuple[int, ...] = ()
    free_at: datetime | None = None


_FREE = Follows()


def _cleared_for(now: datetime) -> set[int]:
    """The jobs for which runs were asked to make room of late. One query."""
    return {job_id for (job_id,) in _CLEARED.rows(after=now - ROOM_IS_KEPT)}


def _dependencies() -> dict[int, Follows]:
    """By pending job what it follows. One query. A dependency that can never be met holds it until it is cancelled."""
    found: dict[int, Follows] = {}
    for job_id, after_id, condition, state, ended_at in _FOLLOWING.rows():
        so_far = found.get(job_id, _FREE)
        if judge(condition, state) is not Verdict.MET:
            found[job_id] = replace(so_far, waits_for=(*so_far.waits_for, after_id))
        else:
            found[job_id] = replace(so_far, free_at=max(filter(None, (so_far.free_at, ended_at)), default=None))
    return found


def _due(deadline_at: datetime | None, promised_p90_at: datetime | None, now: datetime) -> float | None:
    if deadline_at is None:
        return None
    promised = None if promised_p90_at is None else promised_p90_at.timestamp()
    return due_less_wait(deadline_at.timestamp(), promised, now.timestamp())


def _pending(
    row: tuple[Any, ...],
    now: datetime,
    site_of_campus: Mapping[int, int],
    samples: Samples,
    follows: Follows,
    data_sets: frozenset[str],
    *,
    has_room_made: bool,
    is_trial: bool,
) -> PendingJob:
    (
        pk, owner_id, account_id, submitted_at, gpus, wall_s, gpu_type, campus_id, deadline_at, made, digest, key,
        sweep_id, max_running, kept_s, preempted_count, is_preemptible, gpu_milli, gpu_memory_mib,
        promised_p90_at,
    ) = row[: len(_PENDING)]  # fmt: skip
    predicted = samples.predict(key, owner_id, wall_s - kept_s, submitted_at)
    # What checkpoints keep was time that it ran, not time that it waited.
    eligible_at = (follows.free_at or submitted_at) + timedelta(seconds=kept_s)
    return PendingJob(
        id=pk,
        owner_id=owner_id,
        account_id=account_id,
        submitted_at=submitted_at.timestamp(),
        gpus=gpus,
        gpu_milli=gpu_milli,
        min_gpu_memory_mib=gpu_memory_mib,
        wall_s=float(wall_s - kept_s),
        gpu_type=gpu_type or None,
        preferred_site_id=site_of_campus.get(campus_id),
        deadline_at=_due(deadline_at, promised_p90_at, now),
        predicted_p50_s=predicted.p50_s,
        predicted_p90_s=predicted.p90_s,
        # Who made room lost nothing by the platform's fault, and is queued in the place that it had.
        attempt=made - preempted_count + 1,
        environment=digest,
        data_sets=data_sets,
        eligible_at=eligible_at.timestamp(),
        waits_for=follows.waits_for,
        group_id=sweep_id,
        max_running_of_group=max_running,
        is_preemptible=is_preemptible,
        grace_s=float(settings.LABS_PREEMPT_GRACE_S) if is_preemptible else 0.0,
        work_key=key,
        slack_spent_s=samples.slack_spent_s(key, owner_id) if deadline_at else 0.0,
        is_trial=is_trial,
        has_room_made=has_room_made,
    )


def _trials(pending: Iterable[tuple[Any, ...]], running: Iterable[tuple[Any, ...]], samples: Samples) -> set[Any]:
    """The jobs that go first for their burst. A sweep is submitted at once, so it is one."""
    tried = {burst_of(row[1], row[5], row[-1].timestamp()) for row in running} | samples.bursts
    waiting = sorted(pending, key=lambda row: (row[3], row[0]))
    return predict.trials(((row[0], burst_of(row[1], row[11], row[3].timestamp())) for row in waiting), tried)
