"""Beginning attempts: giving queued jobs to nodes by compare-and-swap, and the node's claim and start."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from campus.core.compiled import AnyOf, Compiled, Given
from infra.pool.models import Gpu, Node
from labs.environments.models import DataSet
from labs.jobs.domain.shares import WHOLE_GPU
from labs.jobs.domain.states import AttemptEvent, move_attempt, move_job
from labs.jobs.domain.states import JobEvent as Move
from labs.jobs.live import tell_job, tell_jobs
from labs.jobs.models import Attempt, GpuLease, Job, JobEvent, SourceBundle
from labs.jobs.nudges import nudge_nodes

from .fences import StaleFence, require_boot
from .leasing import GpuTaken, Lease, Placement, leases_for

SMALL_SOURCE_BYTES = 64 * 1024


def lease_end() -> Any:
    """When a lease given or renewed by this very statement runs out, by the database's clock."""
    return Now() + timedelta(seconds=settings.LABS_LEASE_S)


def start_attempt(
    *,
    job_id: int,
    node_id: int,
    gpu_ids: Sequence[int],
    factors: Mapping[str, Any] | None = None,
    gpu_milli: int = WHOLE_GPU,
    gpu_memory_mib: int = 0,
) -> Attempt | None:
    """Give one queued job to a node. None if it is no longer queued or one of the GPUs is taken."""
    one = Placement(job_id, node_id, gpu_ids, factors or {}, gpu_milli=gpu_milli, gpu_memory_mib=gpu_memory_mib)
    made = start_attempts([one])
    return made[0] if made else None


def start_attempts(placements: Iterable[Placement]) -> list[Attempt]:
    """Give queued jobs to nodes, in a fixed number of queries. Returns the attempts that were begun.

    Jobs that were cancelled or started meanwhile are passed over. If a GPU, or the part of one that a share needs, was
    taken meanwhile nothing is begun: the snapshot that the placements come from is out of date, and the next cycle
    sees the new one.
    """
    wanted = {placement.job_id: placement for placement in placements}
    if not wanted:
        return []
    try:
        with transaction.atomic():
            return _begin(wanted)
    except (IntegrityError, GpuTaken):
        return []


# Whoever holds a row now is about to cancel it: it is passed over rather than waited for.
_TAKE = """
UPDATE jobs_job SET state = %(running)s, attempts_made = attempts_made + 1, factors = said.factors,
       wait_reason = '', wait_facts = '{}', queue_place = NULL, start_p50_at = NULL, start_p90_at = NULL,
       held_back_s = held_back_s + COALESCE(EXTRACT(EPOCH FROM now() - held_back_from), 0)::int, held_back_from = NULL
FROM unnest(%(ids)s::bigint[], %(gpus)s::int[], %(millis)s::int[], %(factors)s::jsonb[])
     AS said (id, gpus, milli, factors)
WHERE jobs_job.id = said.id AND jobs_job.gpus = said.gpus AND jobs_job.gpu_milli = said.milli AND jobs_job.id IN (
    SELECT id FROM jobs_job WHERE id = ANY(%(ids)s) AND state = %(queued)s ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
RETURNING jobs_job.id, jobs_job.attempts_made, nextval('jobs_fence_seq')
"""


def _begin(wanted: Mapping[int, Placement]) -> list[Attempt]:
    gpus = _gpus_of(wanted.values())
    attempts = [
        Attempt(
            job_id=job_id,
            number=number,
            node=gpus[job_id][0].node,
            fence=fence,
            gpu_labels=[str(gpu) for gpu in gpus[job_id]],
            reservation_id=wanted[job_id].reservation_id,
            is_borrowed=wanted[job_id].is_borrowed,
        )
        for job_id, number, fence in _take(wanted, gpus)
    ]
    if attempts:
        _assign(attempts, gpus, leases_for(wanted, gpus, [attempt.job_id for attempt in attempts]))
    nudge_nodes(attempt.node.queue for attempt in attempts)
    tell_jobs(*(attempt.job_id for attempt in attempts))
    return attempts


_ASSIGN = """
WITH made AS (
    INSERT INTO jobs_attempt (job_id, number, node_id, fence, gpu_labels, reservation_id, is_borrowed, lease_expires_at,
        state, outcome, boot_id, preempt_reason, lost_s, kept_s, log_bytes, log_is_truncated, report)
    SELECT said.*, statement_timestamp() + make_interval(secs => %(lease_s)s),
        %(assigned)s, '', '', '', 0, 0, 0, false, '{}'
    FROM unnest(%(jobs)s::bigint[], %(numbers)s::int[], %(nodes)s::bigint[], %(fences)s::bigint[], %(labels)s::jsonb[],
        %(reservations)s::bigint[], %(borrowed)s::bool[]) AS said
    RETURNING id, job_id, number
), leased AS (
    INSERT INTO jobs_gpulease (gpu_id, attempt_id, milli, memory_mib)
    SELECT given.gpu_id, made.id, int4range(given.start, given.upto), given.memory_mib
    FROM unnest(%(given_gpus)s::bigint[], %(given_jobs)s::bigint[], %(starts)s::int[], %(ends)s::int[],
        %(memories)s::int[]) AS given (gpu_id, job_id, start, upto, memory_mib)
    JOIN made ON made.job_id = given.job_id
), told AS (
    INSERT INTO jobs_jobevent (job_id, attempt, kind, facts)
    SELECT made.job_id, made.number, %(kind)s, said.facts
    FROM made JOIN unnest(%(jobs)s::bigint[], %(facts)s::jsonb[]) AS said (job_id, facts) ON made.job_id = said.job_id
)
SELECT job_id, id FROM made
"""


def _assign(attempts: Sequence[Attempt], gpus: Mapping[int, list[Gpu]], leases: Sequence[Lease]) -> None:
    """Write the attempts with their GPUs' leases and a line of each timeline; they know their ids afterwards."""
    said = {
        "lease_s": settings.LABS_LEASE_S,
        "assigned": Attempt.State.ASSIGNED.value,
        "kind": JobEvent.Kind.ASSIGNED.value,
        "jobs": [attempt.job_id for attempt in attempts],
        "numbers": [attempt.number for attempt in attempts],
        "nodes": [attempt.node_id for attempt in attempts],
        "fences": [attempt.fence for attempt in attempts],
        "labels": [json.dumps(attempt.gpu_labels) for attempt in attempts],
        "reservations": [attempt.reservation_id for attempt in attempts],
        "borrowed": [attempt.is_borrowed for attempt in attempts],
        "given_gpus": [lease.gpu_id for lease in leases],
        "given_jobs": [lease.job_id for lease in leases],
        "starts": [lease.piece.start for lease in leases],
        "ends": [lease.piece.end for lease in leases],
        "memories": [lease.memory_mib for lease in leases],
        "facts": [json.dumps({"node": attempt.node.name, "gpus": attempt.gpu_labels}) for attempt in attempts],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ASSIGN, said)
        made = dict(cursor.fetchall())
    for attempt in attempts:
        attempt.pk, attempt._state.adding = made[attempt.job_id], False


def _take(wanted: Mapping[int, Placement], gpus: Mapping[int, list[Gpu]]) -> list[tuple[int, int, int]]:
    """Move the jobs that are still queued to running: (job, attempt number, fence), lowest job first."""
    facts = {
        "queued": Job.State.QUEUED.value,
        "running": move_job(Job.State.QUEUED, Move.ASSIGN).value,
        "ids": list(wanted),
        "gpus": [len(gpus.get(job_id, ())) for job_id in wanted],
        "millis": [placement.gpu_milli for placement in wanted.values()],
        "factors": [json.dumps(dict(placement.factors)) for placement in wanted.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, facts)
        return sorted(cursor.fetchall())


_GPUS = Compiled(lambda: Gpu.objects.filter(pk=AnyOf("ids")).select_related("node"))


def _gpus_of(placements: Iterable[Placement]) -> dict[int, list[Gpu]]:
    """The GPUs of each placement that are on its node, by job."""
    ids = [gpu_id for placement in placements for gpu_id in placement.gpu_ids]
    found = {gpu.pk: gpu for gpu in _GPUS.models(ids=ids)}
    return {
        placement.job_id: [
            gpu
            for gpu_id in dict.fromkeys(placement.gpu_ids)
            if (gpu := found.get(gpu_id)) and gpu.node_id == placement.node_id
        ]
        for placement in placements
    }


def claim(*, node: Node, boot_id: str) -> list[Attempt]:
    """The node takes up what was assigned to it. Asking again with the same boot gives what has not started yet again.

    Raises UnknownBoot for an agent of another boot.
    """
    require_boot(node, boot_id)
    facts = {
        "node_id": node.pk,
        "boot_id": boot_id,
        "assigned": Attempt.State.ASSIGNED.value,
        "claimed": move_attempt(Attempt.State.ASSIGNED, AttemptEvent.CLAIM).value,
        "lease_s": settings.LABS_LEASE_S,
        "kind": JobEvent.Kind.CLAIMED.value,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, facts)
            for job_id, owner_id, scope_id in cursor.fetchall():
                tell_job(job_id, owner_id=owner_id, scope_id=scope_id)
        attempts: list[Attempt] = _CLAIMED.models(node_id=node.pk, boot_id=boot_id)
    return attempts


_CLAIM = """
WITH claimed AS (
    UPDATE jobs_attempt SET state = %(claimed)s, claimed_at = statement_timestamp(), boot_id = %(boot_id)s,
           lease_expires_at = statement_timestamp() + make_interval(secs => %(lease_s)s)
    WHERE state = %(assigned)s AND id IN (
        SELECT id FROM jobs_attempt WHERE node_id = %(node_id)s AND state = %(assigned)s
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING job_id, number
), told AS (
    INSERT INTO jobs_jobevent (job_id, attempt, kind, facts) SELECT job_id, number, %(kind)s, '{}' FROM claimed
)
SELECT job.id, job.owner_id, account.scope_id FROM claimed
JOIN jobs_job AS job ON job.id = claimed.job_id JOIN quota_account AS account ON account.id = job.account_id
"""
_CLAIMED = Compiled(
    lambda: (
        Attempt.objects.filter(node_id=Given("node_id"), state=Attempt.State.CLAIMED, boot_id=Given("boot_id"))
        .select_related("job__environment", "job__source")
        .defer("job__source__files", "job__environment__description")
        .order_by("pk")
    )
)
_LEASED = Compiled(
    lambda: GpuLease.objects.filter(attempt_id=AnyOf("ids")).select_related("gpu").order_by("attempt_id", "gpu__index")
)
_DATA_SETS = Compiled(
    lambda: (
        Job.data_sets.through.objects.filter(job_id=AnyOf("ids"))
        .select_related("dataset")
        .order_by("job_id", "dataset")
    )
)


class GivenGpus(NamedTuple):
    """The GPUs of an attempt, in the node's order; of a share the memory that goes with it in MiB, else 0."""

    gpus: list[Gpu]
    memory_mib: int = 0


def gpus_of(attempts: Iterable[Attempt]) -> dict[int, GivenGpus]:
    """What each of these attempts was given, by its id. One query."""
    found: dict[int, GivenGpus] = defaultdict(lambda: GivenGpus([]))
    for lease in _LEASED.models(ids=[attempt.pk for attempt in attempts]):
        gpus, memory_mib = found[lease.attempt_id]
        if lease.gpu not in gpus:  # of one GPU a share may have several pieces
            gpus.append(lease.gpu)
        found[lease.attempt_id] = GivenGpus(gpus, memory_mib + lease.memory_mib)
    return found


def data_sets_of(attempts: Iterable[Attempt]) -> dict[int, list[DataSet]]:
    """What the jobs of these attempts read, by the id of the job. One query."""
    found: dict[int, list[DataSet]] = defaultdict(list)
    for row in _DATA_SETS.models(ids=[attempt.job_id for attempt in attempts]):
        found[row.job_id].append(row.dataset)
    return found


def small_sources(attempts: Iterable[Attempt]) -> dict[int, Any]:
    """The files, by id of their bundle, that are few enough bytes to go along with a claim. One query."""
    asked = {attempt.job.source_id for attempt in attempts}
    return dict(_SMALL.rows(ids=list(asked))) if asked else {}


_SMALL = Compiled(
    lambda: SourceBundle.objects.filter(pk=AnyOf("ids"), size_bytes__lte=SMALL_SOURCE_BYTES).values_list("pk", "files")
)


# The job's row is locked before the attempt's is touched, as everywhere (docs/decisions/0001).
_START = """
WITH job AS (
    SELECT id, owner_id, account_id FROM jobs_job WHERE id = %(job_id)s FOR NO KEY UPDATE
), begun AS (
    UPDATE jobs_attempt SET state = %(running)s, started_at = statement_timestamp(),
           lease_expires_at = statement_timestamp() + make_interval(secs => %(lease_s)s)
    FROM job
    WHERE jobs_attempt.id = %(attempt_id)s AND jobs_attempt.job_id = job.id
          AND fence = %(fence)s AND state = %(claimed)s
    RETURNING jobs_attempt.job_id, jobs_attempt.number
), told AS (
    INSERT INTO jobs_jobevent (job_id, attempt, kind, facts) SELECT job_id, number, %(kind)s, '{}' FROM begun
)
UPDATE jobs_job SET started_at = statement_timestamp()
FROM begun, job JOIN quota_account AS account ON account.id = job.account_id
WHERE jobs_job.id = begun.job_id
RETURNING job.owner_id, account.scope_id
"""


def started(*, attempt: Attempt, fence: int) -> None:
    """The program runs from now on, and so does its charge. Saying it twice changes nothing. Raises StaleFence.

    One query.
    """
    facts = {
        "attempt_id": attempt.pk,
        "job_id": attempt.job_id,
        "fence": fence,
        "claimed": Attempt.State.CLAIMED.value,
        "running": move_attempt(Attempt.State.CLAIMED, AttemptEvent.START).value,
        "lease_s": settings.LABS_LEASE_S,
        "kind": JobEvent.Kind.STARTED.value,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_START, facts)
            whose = cursor.fetchone()
        if whose is not None:
            tell_job(attempt.job_id, owner_id=whose[0], scope_id=whose[1])
        elif not Attempt.objects.filter(pk=attempt.pk, fence=fence, state=Attempt.State.RUNNING).exists():
            raise StaleFence
