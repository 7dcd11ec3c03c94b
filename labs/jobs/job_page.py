"""What the page of one job shows: what is true now, what it left, and how it came to be."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from django.db.models import F, Max, Q
from django.utils import timezone

from labs.quota.api import ledger_of_job

from .domain.results import headlines
from .models import Artifact, Attempt, Dependency, Job, JobEvent, LogChunk
from .previews import preview_of

LOG_FIRST_BYTES = 256 * 1024  # what the page itself carries; the rest comes by the websocket or as a download
MOST_POINTS = 1_000
MOST_PREVIEWS = 24
MOST_NEIGHBOURS = 50
HEADLINES = 3


@dataclass(frozen=True)
class Metrics:
    """Points for the chart, evenly thinned, and the number of the first one that is not among them."""

    points: list[dict[str, float]]
    next_seq: int


def live_context(job: Job) -> dict[str, Any]:
    """Return what changes while the job lives; six queries, whatever the number of attempts and artifacts."""
    before, behind = _neighbours(job)
    attempts = list(job.attempts.select_related("node").order_by("number"))
    attempt = attempts[-1] if attempts else None
    return {
        "job": job,
        "attempts": attempts,
        "attempt": attempt,
        "elapsed_s": _elapsed_s(job, attempt),
        "headlines": headlines(job.result, HEADLINES),
        "artifacts": _artifacts(attempt),
        "events": list(JobEvent.objects.filter(job=job).order_by("id")),
        "ledger": ledger_of_job(job.pk),
        "follows": before,
        "followed_by": behind,
        "lost_s": sum(one.lost_s for one in attempts if one.outcome == Attempt.Outcome.LOST),
        "preempted": [one for one in attempts if one.outcome == Attempt.Outcome.PREEMPTED],
        "first_given_at": attempts[0].assigned_at if attempts else None,
        "lost_attempts": [one for one in attempts if one.outcome == Attempt.Outcome.LOST],
    }


def _neighbours(job: Job) -> tuple[list[Dependency], list[Dependency]]:
    """What the job waits for or waited for, and what waits for it."""
    related = Dependency.objects.filter(Q(job=job) | Q(after=job)).select_related("job", "after").order_by("id")
    found = list(related[:MOST_NEIGHBOURS])
    return [one for one in found if one.job_id == job.pk], [one for one in found if one.after_id == job.pk]


def _elapsed_s(job: Job, attempt: Attempt | None) -> int:
    """Seconds that the program has run, by the clock that wrote its start."""
    if attempt is None or attempt.started_at is None or job.state != Job.State.RUNNING:
        return 0
    return min(job.wall_s, max(0, int((timezone.now() - attempt.started_at).total_seconds())))


def _artifacts(attempt: Attempt | None) -> list[dict[str, Any]]:
    """The published files; pictures first, then what can be previewed. Only the first ones are opened for a preview."""
    if attempt is None:
        return []
    found = Artifact.objects.filter(attempt=attempt, is_published=True).order_by("path")
    shown = [
        {"artifact": one, "preview": preview_of(one) if place < MOST_PREVIEWS else None}
        for place, one in enumerate(found)
    ]
    ranks = {"picture": 0, "numbers": 1, "text": 2}
    return sorted(shown, key=lambda entry: ranks.get((entry["preview"] or {}).get("kind", ""), 3))


def log_head(attempt: Attempt) -> bytes:
    """Return the log's first bytes, whole chunks of it, at most about LOG_FIRST_BYTES."""
    chunks = LogChunk.objects.filter(attempt=attempt, start__lt=LOG_FIRST_BYTES).order_by("start")
    content = b"".join(bytes(one) for one in chunks.values_list("content", flat=True))
    return content[:LOG_FIRST_BYTES]


def metrics_of(attempt: Attempt, most: int = MOST_POINTS) -> Metrics:
    """Return the attempt's metric points, every n-th and the last where there are more than `most`."""
    last = attempt.metric_points.aggregate(last=Max("seq"))["last"]
    if last is None:
        return Metrics([], 0)
    step = ceil((last + 1) / most)
    kept = attempt.metric_points.annotate(phase=F("seq") % step).filter(Q(phase=0) | Q(seq=last), seq__lte=last)
    return Metrics(list(kept.order_by("seq").values_list("values", flat=True)), last + 1)


def run_before(job: Job) -> int | None:
    """Return the id of the run to compare this one with: what it repeats, else the one before of the same work."""
    if job.rerun_of_id or not job.work_key:
        return job.rerun_of_id
    earlier = Job.objects.filter(owner_id=job.owner_id, work_key=job.work_key, pk__lt=job.pk)
    return earlier.order_by("-id").values_list("pk", flat=True).first()
