"""Watching how busy allocated GPUs are, and telling owners whose run leaves them idle.

Nodes send utilisation with every heartbeat, and the pool keeps the last of it. Once a minute that becomes a sample of
each running attempt. A CPU slot reports none, and pages say that nothing is measured. A GPU that jobs share is measured
as a whole, the most that any one of them uses: a share of an idle GPU is idle, and of others nothing is said.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import DurationField, Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campus.core.compiled import IDS, Compiled, Given
from campus.core.formats import gpu_number
from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.services import notify
from campus.core.notices.topics import Topic, register_topics
from labs.jobs.api import GpuAsk
from labs.jobs.models import Attempt
from labs.quota.beyond import Figure, register_figure

from .domain.idleness import Idle, idle
from .models import GpuActivity

MOST_SAMPLES = 60
FRESH_S = 60  # an older figure is of a node that fell silent
WARM_UP_S = 60  # loading data is no idleness
GAP_S = 50  # two sweeps in one minute leave one sample

_SAMPLE = """
INSERT INTO usage_gpuactivity (attempt_id, samples, sampled_at)
SELECT attempt.id, ARRAY[round(avg(gpu.utilisation_pct))::smallint], clock_timestamp()
FROM jobs_attempt AS attempt
JOIN jobs_gpulease AS lease ON lease.attempt_id = attempt.id
JOIN pool_gpu AS gpu ON gpu.id = lease.gpu_id
WHERE attempt.state = 'RUNNING' AND gpu.utilisation_pct IS NOT NULL
  AND gpu.seen_at > clock_timestamp() - make_interval(secs => %(fresh)s)
  AND attempt.started_at < clock_timestamp() - make_interval(secs => %(warm_up)s)
GROUP BY attempt.id
ON CONFLICT (attempt_id) DO UPDATE
SET samples = (usage_gpuactivity.samples || excluded.samples)[cardinality(usage_gpuactivity.samples) + 2 - %(most)s:],
    sampled_at = excluded.sampled_at
WHERE usage_gpuactivity.sampled_at < clock_timestamp() - make_interval(secs => %(gap)s)
RETURNING id
"""

TOPICS = {"labs.idle": Topic(_("Your job leaves its GPUs idle"), "labs")}

KINDS = {
    "usage.gpus_idle": NoticeKind(
        _("Your job “%(job)s” leaves its GPUs idle"),
        _("It holds %(gpus)s and used them %(pct)s%% for %(minutes)s minutes. All of that time is charged."),
        icon="gauge",
        tone="warn",
        topic="labs.idle",
    )
}


def register_notices() -> None:
    register_topics(TOPICS)
    register(KINDS)


def register_figures() -> None:
    register_figure(Figure.IDLE_GPUS, idle_gpus_of)


@transaction.atomic
def watch() -> int:
    """Take this minute's samples and tell the owners of runs that have become idle; return how many were sampled.

    Five queries however many run, and those of the notices.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLE, {"fresh": FRESH_S, "warm_up": WARM_UP_S, "gap": GAP_S, "most": MOST_SAMPLES})
        ids = [pk for (pk,) in cursor.fetchall()]
    sampled = list(GpuActivity.objects.filter(pk__in=ids))
    changed = [activity for activity in sampled if _judged(activity)]
    newly = [activity for activity in changed if activity.idle_since and activity.told_at is None]
    for activity in newly:
        activity.told_at = activity.sampled_at
    GpuActivity.objects.bulk_update(changed, ["idle_since", "idle_pct", "told_at"], batch_size=500)
    _tell(newly)
    return len(ids)


def idle_of(samples: Sequence[int]) -> Idle | None:
    """Judge samples by this campus's limits."""
    return idle(samples, below_pct=settings.LABS_IDLE_BELOW_PCT, least_minutes=settings.LABS_IDLE_AFTER_MIN)


def _judged(activity: GpuActivity) -> bool:
    """Note on the row whether it is idle; say whether that changed anything."""
    found = idle_of(activity.samples)
    if found is None:
        was_idle = activity.idle_since is not None
        activity.idle_since = activity.idle_pct = activity.told_at = None
        return was_idle
    activity.idle_since = activity.sampled_at - timedelta(minutes=found.minutes)
    activity.idle_pct = found.pct
    return True


def _tell(activities: Sequence[GpuActivity]) -> None:
    attempts = Attempt.objects.select_related("job").in_bulk([activity.attempt_id for activity in activities])
    for activity in activities:
        attempt, found = attempts[activity.attempt_id], idle_of(activity.samples)
        notify(
            recipient_ids=[attempt.job.owner_id],
            kind="usage.gpus_idle",
            url=reverse("jobs:job", args=[attempt.job_id]),
            facts={
                "job": attempt.job.title,
                "gpus": _held(attempt),
                "pct": round(activity.idle_pct or 0),
                "minutes": found.minutes if found else settings.LABS_IDLE_AFTER_MIN,
            },
            key=f"gpus-idle:{activity.attempt_id}",
        )


def _held(attempt: Attempt) -> str:
    """The GPUs by name, and of a share its part."""
    gpus = gpu_number(attempt.job.gpus_in_all)
    names = ", ".join(attempt.gpu_labels)
    return f"{names} ({gpus})" if names and attempt.job.is_share else names or gpus


@dataclass(frozen=True)
class IdleRun:
    """A run that left its GPUs idle long after its owner was told. `pct` is how much of them it uses, of a shared GPU
    all that run on it."""

    job_id: int
    title: str
    owner: str
    node: str
    gpus: Decimal
    pct: int
    since: datetime

    @property
    def minutes(self) -> int:
        return int((timezone.now() - self.since).total_seconds() // 60)


_JOB = "attempt__job__"
_BELOW = Compiled(lambda: _idle_runs(Q(attempt__job__account__path__contains=Given("ids", IDS))))
_AT = Compiled(lambda: _idle_runs(Q(attempt__job__account__scope__path__overlap=Given("ids", IDS))))


def idle_runs_below(account_id: int) -> list[IdleRun]:
    """Return the runs charged to this account, or to one below it, that staff may see as idle.

    Those whose owners were told LABS_IDLE_STAFF_AFTER_MIN ago, the longest 50 first. One query.
    """
    return _told(_BELOW.rows(ids=[account_id], grace=_grace()))


def idle_runs_at(scope_ids: Sequence[int]) -> list[IdleRun]:
    """As `idle_runs_below`, of the accounts at these scopes and below them. One query."""
    return _told(_AT.rows(ids=list(scope_ids), grace=_grace()))


def _told(rows: Iterable[tuple[Any, ...]]) -> list[IdleRun]:
    return [
        IdleRun(pk, title, owner, node, GpuAsk(gpus, milli).in_all, round(pct), since)
        for pk, title, owner, node, gpus, milli, pct, since in rows
    ]


def _idle_runs(which: Q) -> QuerySet[Any, Any]:
    found = _told_of(Given("grace", DurationField())).filter(which).order_by("idle_since")
    return found.values_list(
        "attempt__job_id", _JOB + "title", _JOB + "owner__name", "attempt__node__name", _JOB + "gpus",
        _JOB + "gpu_milli", "idle_pct", "idle_since",
    )[:50]  # fmt: skip


def _grace() -> timedelta:
    return timedelta(minutes=settings.LABS_IDLE_STAFF_AFTER_MIN)


def _told_of(grace: timedelta | Given) -> QuerySet[GpuActivity]:
    """The idle runs whose owners were told so long ago."""
    return GpuActivity.objects.filter(
        idle_since__isnull=False, told_at__lte=Now() - grace, attempt__state=Attempt.State.RUNNING
    )


def idle_gpus_of(account_ids: Collection[int]) -> dict[int, float]:
    """Return how many GPUs stand idle below each of these accounts, shares as their part, as staff may see them.

    One query.
    """
    wanted = set(account_ids)
    rows = _told_of(_grace()).filter(attempt__job__account__path__overlap=list(wanted))
    found: dict[int, float] = {}
    for path, gpus, milli in rows.values_list("attempt__job__account__path", _JOB + "gpus", _JOB + "gpu_milli"):
        for account_id in wanted.intersection(path):
            found[account_id] = found.get(account_id, 0) + float(GpuAsk(gpus, milli).in_all)
    return found
