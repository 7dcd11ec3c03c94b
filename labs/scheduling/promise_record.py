"""What was promised beside what came: how often the first start range of a job held, and what the next is fitted to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from campus.core.compiled import Compiled
from labs.jobs.models import Attempt, Job

from .domain import fitting
from .models import SchedulerMark

LAST = 500


@dataclass(frozen=True)
class Coverage:
    """Of `jobs` that were promised a start and got their GPUs: shares that had them by its P50 and by its P90."""

    jobs: int
    by_p50: float
    by_p90: float

    @property
    def percent(self) -> int:
        return round(100 * self.by_p90)


def _started() -> QuerySet[Any, Any]:
    first = Attempt.objects.filter(job=OuterRef("pk"), number=1)
    found = Job.objects.filter(promised_p90_at__isnull=False).annotate(
        given_at=Subquery(first.values("assigned_at")[:1])
    )
    newest = found.filter(given_at__isnull=False).order_by("-id")
    return newest.values_list("given_at", F("promised_p50_at"), F("promised_p90_at"))[:LAST]


_STARTED = Compiled(_started)


def coverage(last: int = LAST) -> Coverage:
    """Over the newest `last` jobs that waited and were started, LAST at most. One query.

    What was cancelled before is left out. The start is when the first attempt was given its GPUs, whatever came of it.
    """
    rows = _STARTED.rows()[:last]
    return Coverage(len(rows), *(_share([row[0] <= row[n] for row in rows if row[n] is not None]) for n in (1, 2)))


def refit(now: datetime) -> fitting.Fit:
    """Fit the start ranges of the plans to come to the newest promises. Two queries.

    Who was cancelled, or waits still, has waited for at least that long.
    """
    promised = Q(promised_p90_at__isnull=False, promised_at__isnull=False, planned_p50_s__isnull=False)
    first = Attempt.objects.filter(job=OuterRef("pk"), number=1)
    rows = (
        Job.objects.filter(promised)
        .annotate(given_at=Subquery(first.values("assigned_at")[:1]))
        .order_by("-id")
        .values_list("planned_p50_s", "planned_p90_s", "promised_at", "given_at", "ended_at")
    )
    fitted = fitting.fit([_outcome(*row, now) for row in rows[: fitting.LAST]])
    SchedulerMark.objects.filter(pk=1).update(start_fit=fitted.as_json())
    return fitted


def _outcome(
    p50_s: Any, p90_s: Any, told_at: Any, given_at: datetime | None, ended_at: datetime | None, now: datetime
) -> fitting.Outcome:
    waited_s = ((given_at or ended_at or now) - told_at).total_seconds()
    return fitting.Outcome(p50_s, p90_s, max(0.0, waited_s), given_at is not None)


def _share(held: list[bool]) -> float:
    return sum(held) / len(held) if held else 0.0
