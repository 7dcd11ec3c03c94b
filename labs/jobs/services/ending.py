"""The steps that every end of an attempt and of a job shares. The job's row is locked by the caller.

Jobs that were to follow only a success end with a job that had none: behind its commit, each in a transaction of its
own, because the lock order (docs/decisions/0001) lets no transaction take a job's row after an account's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from labs.jobs.domain.dependencies import Condition
from labs.jobs.domain.states import AttemptEvent, move_attempt, move_job
from labs.jobs.domain.states import JobEvent as Move
from labs.jobs.models import Attempt, Dependency, Job, JobEvent
from labs.jobs.nudges import nudge_scheduler
from labs.jobs.signals import job_settled
from labs.quota import api as quota

from .checkpoints import drop_checkpoints
from .events import add_event

OPEN = (Attempt.State.ASSIGNED, Attempt.State.CLAIMED, Attempt.State.RUNNING)


def let_go(attempt: Attempt, *, outcome: str, only_in: Sequence[str] = OPEN, **facts: Any) -> bool:
    """End the attempt if it still stands in one of `only_in` under its fence, and free its GPUs.

    False: somebody else ended it or moved it on, and nothing was changed. `facts` are further fields to set.
    """
    for state in only_in:
        move_attempt(state, AttemptEvent.END)
    names, values = _assigned(Attempt, facts)
    said = {"id": attempt.pk, "fence": attempt.fence, "only_in": [str(state) for state in only_in], "outcome": outcome}
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO.format(names=names), values | said)
        (changed,) = cursor.fetchone()
    return bool(changed)


_LET_GO = """
WITH ended AS (
    UPDATE jobs_attempt SET state = 'ENDED', outcome = %(outcome)s, ended_at = statement_timestamp(),
           lease_expires_at = NULL{names}
    WHERE id = %(id)s AND fence = %(fence)s AND state = ANY(%(only_in)s)
    RETURNING id
), freed AS (
    DELETE FROM jobs_gpulease USING ended WHERE attempt_id = ended.id
)
SELECT COUNT(*) FROM ended
"""


def _assigned(model: type[Model], fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """These fields of a model as further assignments of an UPDATE: their text, and the values by parameter."""
    columns = {field.name: field for field in model._meta.local_concrete_fields}
    text = "".join(f", {columns[name].column} = %(field_{name})s" for name in fields)
    values = {f"field_{name}": columns[name].get_db_prep_save(value, connection) for name, value in fields.items()}
    return text, values


def end_job(job: Job, move: Move, *, reason: str, attempt: int | None, **fields: Any) -> None:
    """Set the job's final state and tell the house on commit. `fields` are further fields to set."""
    _finish(job, move, reason=reason, attempt=attempt, **fields)
    if job.state != Job.State.SUCCEEDED:
        transaction.on_commit(lambda: end_dependents(job.pk), robust=True)


_END = """
UPDATE jobs_job SET state = %(state)s, end_reason = %(reason)s, ended_at = statement_timestamp(), wait_reason = '',
       wait_facts = '{{}}', queue_place = NULL, start_p50_at = NULL, start_p90_at = NULL{names}
WHERE id = %(id)s
"""


def _finish(job: Job, move: Move, *, reason: str, attempt: int | None, **fields: Any) -> None:
    job.state = move_job(job.state, move)
    names, values = _assigned(Job, fields)
    with connection.cursor() as cursor:
        cursor.execute(
            _END.format(names=names), values | {"id": job.pk, "state": str(job.state), "reason": str(reason)}
        )
    if job.preempted_count:
        drop_checkpoints(job.pk)
    add_event(job, JobEvent.Kind.ENDED, attempt=attempt, state=job.state, reason=reason)
    told = {"job_id": job.pk, "purpose": job.purpose}
    transaction.on_commit(lambda: job_settled.send_robust(sender=Job, **told), robust=True)


def end_dependents(job_id: int) -> int:
    """Cancel what was to follow the success of this job, which had none, and what was to follow that; returns how many.

    Whoever dies before it is followed by `reconcile`, which asks the same.
    """
    ended, broken = 0, [job_id]
    while broken:
        after_id = broken.pop()
        waiting = Dependency.objects.filter(
            after_id=after_id, condition=Condition.OK, job__state=Job.State.QUEUED
        ).values_list("job_id", "after__title")
        for follower_id, title in list(waiting.order_by("job_id")):
            if _end_dependent(follower_id, f"#{after_id} {title}"):
                ended += 1
                broken.append(follower_id)
    return ended


def _end_dependent(job_id: int, after: str) -> bool:
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True, of=("self",)).filter(pk=job_id).first()
        if job is None or job.state != Job.State.QUEUED:
            return False
        _finish(job, Move.CANCEL, reason=Job.EndReason.DEPENDENCY, attempt=None, end_detail=after)
        quota.release(account_id=job.account_id, job_id=job.pk, attempt=job.attempts_made + 1, reason="dependency")
        nudge_scheduler()
    return True
