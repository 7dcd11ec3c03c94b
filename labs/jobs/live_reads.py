"""What websockets read: a job as it stands, its log and metrics behind a cursor, the jobs that a person watches."""

import base64
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from campus.core.errors import NotFound
from campus.people.access import TEACHING, Standing
from campus.people.models import Scope

from .domain.states import OVER
from .models import Attempt, Job, LogChunk, MetricPoint

LOG_BYTES = 64 * 1024
POINTS = 500
LISTED = 100


@dataclass(frozen=True)
class JobNow:
    """A job as it stands, and where its last attempt's log ends."""

    message: dict[str, Any]
    attempt_id: int | None
    attempt: int
    log_bytes: int
    is_over: bool


def job_now(job_id: int) -> JobNow | None:
    """Read one job; one query. None if it is gone."""
    last = Attempt.objects.filter(job=OuterRef("pk")).order_by("-number")
    row = (
        Job.objects.filter(pk=job_id)
        .annotate(
            last_event=Max("events__id"),
            **{f"last_{name}": Subquery(last.values(name)[:1]) for name in ("id", "number", "state", "log_bytes")},
        )
        .first()
    )
    if row is None:
        return None
    found: Any = row
    message = {
        "type": "job",
        **_brief(row),
        "attempt": found.last_number,
        "attempt_state": found.last_state,
        "last_event": found.last_event,
    }
    return JobNow(message, found.last_id, found.last_number or 0, found.last_log_bytes or 0, row.state in OVER)


def _brief(job: Job) -> dict[str, Any]:
    return {
        "id": job.pk,
        "state": job.state,
        "end_reason": job.end_reason,
        "exit_code": job.exit_code,
        "charged_s": job.charged_s,
        "wait_reason": job.wait_reason,
        "queue_place": job.queue_place,
        "start_p50_at": _text(job.start_p50_at),
        "start_p90_at": _text(job.start_p90_at),
        "started_at": _text(job.started_at),
        "ended_at": _text(job.ended_at),
        "is_cancelling": job.cancel_requested_at is not None,
    }


def _text(at: Any) -> str | None:
    return at.isoformat() if at else None


def log_after(attempt_id: int, cursor: int) -> bytes:
    """At most LOG_BYTES of the log from byte `cursor` on; one query."""
    chunks = LogChunk.objects.filter(attempt_id=attempt_id)
    holding = chunks.filter(start__lte=cursor).order_by("-start").values("start")[:1]
    found = bytearray()
    for start, content in chunks.filter(start__gte=Subquery(holding)).order_by("start").values_list("start", "content"):
        found += bytes(content)[max(0, cursor - start) :]
        if len(found) >= LOG_BYTES:
            break
    return bytes(found[:LOG_BYTES])


def log_message(attempt: int, start: int, content: bytes, *, is_complete: bool) -> dict[str, Any]:
    """A frame with a part of the log; `is_complete` says that nothing follows."""
    data = base64.b64encode(content).decode("ascii")
    return {"type": "log", "attempt": attempt, "start": start, "data": data, "is_complete": is_complete}


def points_after(attempt_id: int, cursor: int) -> list[Any]:
    """At most POINTS metric points from number `cursor` on; one query."""
    found = MetricPoint.objects.filter(attempt_id=attempt_id, seq__gte=cursor).order_by("seq")
    return list(found.values("seq", "run_s", "values")[:POINTS])


def watched_jobs(standing: Standing, scope_id: int | None) -> QuerySet[Job]:
    """One's own jobs, or as staff those of a scope. Raises NotFound where one may not watch it."""
    if scope_id is None:
        return Job.objects.filter(owner_id=standing.user_id)
    scope = Scope.objects.filter(pk=scope_id).first() if 0 < scope_id < 2**63 else None
    if scope is None or not standing.holds(TEACHING, scope.path):
        raise NotFound
    return Job.objects.filter(account__scope=scope)


def brief_jobs(jobs: QuerySet[Job]) -> dict[int, dict[str, Any]]:
    """The newest LISTED of these jobs, and all that are open, by id; one query."""
    newest = jobs.order_by("-id").values("pk")[:LISTED]
    return {job.pk: _brief(job) for job in jobs.filter(Q(pk__in=newest) | Q(state__in=Job.OPEN_STATES))}
