"""Settling an attempt: once, whatever is sent twice, late, or by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import BigIntegerField, ExpressionWrapper, F, OuterRef, Subquery
from django.db.models.functions import Least, Now

from campus.core.compiled import Compiled, Given
from campus.places.models import Campus
from labs.jobs.domain.endings import Ending, Report, ending_of
from labs.jobs.domain.results import flat_result
from labs.jobs.domain.states import JobEvent as Move
from labs.jobs.models import Artifact, Attempt, Job
from labs.jobs.nudges import nudge_scheduler
from labs.quota import api as quota

from .artifacts import RESULT_FILE, drop_unpublished, forget, read_small
from .checkpoints import keep_checkpoint
from .ending import end_job, let_go
from .fences import StaleFence
from .lost import lose_locked
from .preempt import requeue_preempted


@dataclass(frozen=True)
class Ended:
    """What a node says of a run that is over. Times in seconds by the node's monotonic clock, memory in bytes.

    Of one that was preempted, `artifacts` are its checkpoint and `checkpoint_run_s` the second of the run in which that
    was saved; None where none is to be kept.
    """

    reason: Report
    exit_code: int | None = None
    run_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_bytes: int = 0
    log_bytes: int = 0
    is_log_truncated: bool = False
    skipped: Sequence[tuple[str, str]] = ()
    detail: str = ""
    artifacts: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    checkpoint_run_s: float | None = None


def settle(*, attempt: Attempt, fence: int, ended: Ended) -> str:
    """End the attempt and its job: charge what ran, release the rest, publish the artifacts. Returns the job's state.

    Repeating it with the same fence gives the stored end. Raises StaleFence for an attempt that the platform gave up.
    """
    result = _result_of(attempt, ended)
    with transaction.atomic():
        (job,) = _LOCKED_JOB.models(job_id=attempt.job_id)
        (current,) = _LOCKED_ATTEMPT.models(attempt_id=attempt.pk)
        if current.fence != fence:
            raise StaleFence
        if current.state == Attempt.State.ENDED:
            return _stored_end(current)
        ending = ending_of(
            ended.reason,
            ended.exit_code,
            is_cancelling=job.cancel_requested_at is not None,
            is_preempting=current.preempt_requested_at is not None,
        )
        if ending is None:
            lose_locked(
                job, current, silent_from=current.silent_from, cause=ended.reason.lower(), **_report_fields(ended, "")
            )
            Attempt.objects.filter(pk=current.pk).update(report=_report(ended, job.state))
            drop_unpublished(current)
            return job.state
        if ending.event is Move.PREEMPT:
            return _requeue(job, current, ended)
        return _settle(job, current, ended, ending, result)


def _day_zone() -> Subquery:
    """The zone of the campus above the job's account, whose day the charge falls on."""
    path = ExpressionWrapper(OuterRef("account__scope__path"), output_field=ArrayField(BigIntegerField()))
    return Subquery(
        Campus.objects.annotate(up=path)
        .filter(up__contains=[F("scope_id")])  # type: ignore[misc]
        .order_by("pk")
        .values("timezone")[:1]
    )


_LOCKED_JOB = Compiled(
    lambda: (
        Job.objects.select_for_update(no_key=True, of=("self",))
        .select_related("account")
        .annotate(day_zone=_day_zone())
        .filter(pk=Given("job_id"))
    )
)
_LOCKED_ATTEMPT = Compiled(
    lambda: (
        Attempt.objects.select_for_update(no_key=True, of=("self",))
        .annotate(silent_from=Least(Now(), "lease_expires_at"))
        .filter(pk=Given("attempt_id"))
    )
)
_STAGED = Compiled(
    lambda: Artifact.objects.filter(attempt_id=Given("attempt_id"), is_checkpoint=False).values_list(
        "path", "digest", "file"
    )
)


def _stored_end(attempt: Attempt) -> str:
    state = attempt.report.get("state")
    if state is None:  # ended by a cancellation or a reconciler, not by this node
        raise StaleFence
    return str(state)


def _requeue(job: Job, attempt: Attempt, ended: Ended) -> str:
    is_kept = ended.checkpoint_run_s is not None and keep_checkpoint(attempt, ended.artifacts)
    facts = _report_fields(ended, Job.State.QUEUED)
    requeue_preempted(job, attempt, saved_at_s=ended.checkpoint_run_s if is_kept else None, **facts)
    drop_unpublished(attempt)
    return job.state


def _settle(job: Job, attempt: Attempt, ended: Ended, ending: Ending, result: dict[str, Any]) -> str:
    charged_s = 0
    if ending.is_charged and attempt.started_at is not None:
        charged_s = quota.charge_s(run_s=ended.run_s, gpus=job.gpus_in_all, hold_s=job.hold_s, rate=job.rate)
    published, missing = _publish(attempt, ended)
    end_job(
        job,
        ending.event,
        reason=ending.reason,
        attempt=attempt.number,
        exit_code=ended.exit_code,
        end_detail=ended.detail,
        charged_s=job.charged_s + charged_s,
        result=result if RESULT_FILE in published else {},
    )
    let_go(attempt, outcome=Attempt.Outcome.SETTLED, **_report_fields(ended, job.state, missing))
    posting: dict[str, Any] = {"account_id": job.account_id, "job_id": job.pk, "attempt": attempt.number}
    if charged_s:
        day_zone = job.day_zone or ""  # type: ignore[attr-defined]
        quota.settle(**posting, held_s=job.hold_s, charged_s=charged_s, reason=ending.reason.lower(), day_zone=day_zone)
    else:
        quota.release(**posting, reason=ending.reason.lower())
    nudge_scheduler()
    return job.state


def _publish(attempt: Attempt, ended: Ended) -> tuple[set[str], list[tuple[str, str]]]:
    """Publish the stored artifacts that the node names with the same digest, and forget what else was staged.

    Those that it names and that are not there are told as missing.
    """
    named = {str(entry["path"]): str(entry["digest"]) for entry in ended.artifacts}
    stored = {path: (digest, file) for path, digest, file in _STAGED.rows(attempt_id=attempt.pk)}
    staged = Artifact.objects.filter(attempt=attempt, is_checkpoint=False)
    published = {path for path, digest in named.items() if path in stored and stored[path][0] == digest}
    if published:
        staged.filter(path__in=published).update(is_published=True)
    if leftovers := stored.keys() - published:
        forget(staged.filter(path__in=leftovers), [stored[path][1] for path in leftovers])
    return published, [(path, "it did not arrive in full") for path in sorted(named.keys() - published)]


def _result_of(attempt: Attempt, ended: Ended) -> dict[str, Any]:
    """metrics.json of the attempt, read before the transaction so that no lock waits for the storage."""
    if all(entry["path"] != RESULT_FILE for entry in ended.artifacts):
        return {}
    found = Artifact.objects.filter(attempt_id=attempt.pk, path=RESULT_FILE).first()
    return flat_result(read_small(found)) if found else {}


def _report(ended: Ended, state: str, missing: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    return {
        "state": state,
        "reason": str(ended.reason),
        "exit_code": ended.exit_code,
        "detail": ended.detail,
        "skipped": [list(pair) for pair in (*ended.skipped, *missing)],
        "log_bytes_seen": ended.log_bytes,
    }


def _report_fields(ended: Ended, state: str, missing: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    return {
        "run_s": ended.run_s,
        "cpu_s": ended.cpu_s,
        "peak_memory_bytes": ended.peak_memory_bytes,
        "log_is_truncated": ended.is_log_truncated,
        "report": _report(ended, state, missing),
    }
