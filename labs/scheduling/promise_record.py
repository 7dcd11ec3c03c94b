"""What was promised beside what came: how often the first start range of a job held."""

from dataclasses import dataclass

from django.db.models import F, OuterRef, Subquery

from labs.jobs.models import Attempt, Job

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


def coverage(last: int = LAST) -> Coverage:
    """Over the newest `last` jobs that waited and were started; what was cancelled before is left out. One query.

    The start is when the first attempt was given its GPUs, whatever came of it.
    """
    first = Attempt.objects.filter(job=OuterRef("pk"), number=1)
    found = (
        Job.objects.filter(promised_p90_at__isnull=False)
        .annotate(given_at=Subquery(first.values("assigned_at")[:1]))
        .filter(given_at__isnull=False)
        .order_by("-id")
    )
    rows = list(found.values_list("given_at", F("promised_p50_at"), F("promised_p90_at"))[:last])
    return Coverage(len(rows), *(_share([row[0] <= row[n] for row in rows if row[n] is not None]) for n in (1, 2)))


def _share(held: list[bool]) -> float:
    return sum(held) / len(held) if held else 0.0
