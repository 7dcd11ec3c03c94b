"""What each cycle does for classes that meet: who comes keeps the GPUs, and where nobody comes they are released."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet

from campus.core import audit
from campus.core.compiled import Compiled, Given
from labs.jobs.models import Attempt, Job

from .models import ClassReservation, SiteOwner

#: How often it is written down that a class uses its GPUs, so that a cycle mostly writes nothing. Seconds.
SEEN_EVERY_S = 30.0
#: Preemptible runs are asked to make room so long before a class begins, beside their grace: a cycle looks by then.
LEAD_S = 300.0

# A job of the class counts whether it waits or runs, and wherever it runs: somebody has come.
_TEND = """
WITH meeting AS (
    SELECT kept.id, kept.used_at, GREATEST(kept.start_at, kept.used_at) AS alive_at, kept.release_after_s,
           EXISTS (SELECT FROM jobs_job AS job JOIN quota_account AS account ON account.id = job.account_id
                   WHERE job.state IN ('QUEUED', 'RUNNING') AND account.path @> ARRAY[kept.account_id]) AS is_used
    FROM scheduling_classreservation AS kept
    WHERE kept.state = 'BOOKED' AND kept.start_at <= %(now)s AND kept.end_at > %(now)s
)
UPDATE scheduling_classreservation AS kept SET
    used_at = CASE WHEN meeting.is_used THEN %(now)s ELSE kept.used_at END,
    state = CASE WHEN meeting.is_used THEN 'BOOKED' ELSE 'RELEASED' END,
    given_up_at = CASE WHEN meeting.is_used THEN NULL ELSE %(now)s END
FROM meeting
WHERE kept.id = meeting.id AND kept.state = 'BOOKED' AND CASE WHEN meeting.is_used
    THEN COALESCE(meeting.used_at < %(now)s - make_interval(secs => %(seen_every_s)s), true)
    ELSE meeting.alive_at + make_interval(secs => meeting.release_after_s) <= %(now)s END
RETURNING kept.id, kept.state
"""


def tend_reservations(now: datetime) -> list[int]:
    """Note which classes use what is kept for them, and release what nobody came for; returns the released ones' ids.

    One query where nothing changes. Call it inside the cycle's transaction, before the snapshot.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TEND, {"now": now, "seen_every_s": SEEN_EVERY_S})
        released = [pk for pk, state in cursor.fetchall() if state == ClassReservation.State.RELEASED]
    if not released:
        return []
    for row in ClassReservation.objects.filter(pk__in=released).select_related("account__scope"):
        audit.record(
            actor=None, verb="reservation.released", target=row, scope_path=row.account.scope.path,
            reason=f"{row.release_after_s // 60} min",
        )  # fmt: skip
    return released


def may_have_to_clear(now: datetime) -> bool:
    """Say whether runs might have to make room although no job waits: for a class, or as a lending ends. One query."""
    lead = timedelta(seconds=settings.LABS_PREEMPT_GRACE_S + LEAD_S)
    return _IN_THE_WAY.row(now=now, begins_by=now + lead) is not None


def _in_the_way() -> QuerySet[Attempt, Any]:
    begins = ClassReservation.objects.filter(
        state="BOOKED", start_at__lte=Given("begins_by", DateTimeField()), end_at__gt=Given("now", DateTimeField())
    )
    clearable = Attempt.objects.filter(
        ~Q(state=Attempt.State.ENDED), job__is_preemptible=True, preempt_requested_at=None
    )
    borrowed = SiteOwner.objects.filter(site_id=OuterRef("node__site_id"))
    return clearable.filter(Exists(begins) | Exists(borrowed)).order_by().values_list("pk")[:1]


_IN_THE_WAY = Compiled(_in_the_way)


_QUEUED = Compiled(lambda: Job.objects.filter(state=Job.State.QUEUED).order_by().values_list("pk")[:1])


def anything_to_plan(now: datetime) -> bool:
    """Say whether a cycle could change anything."""
    return _QUEUED.row() is not None or may_have_to_clear(now)
