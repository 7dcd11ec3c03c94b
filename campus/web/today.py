"""What Today shows: due work and labs, open and recent jobs, GPU balance; for staff their cohorts and the pool."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from campus.core.compiled import Compiled, Given
from campus.people.access import ADMINISTERING, Standing
from campus.people.models import User
from courses.assignments.api import due_of
from courses.catalog.api import runs_taught
from courses.catalog.models import Enrolment
from infra.pool.models import Gpu, Node
from labs.jobs.api import WHOLE_GPU
from labs.jobs.models import GpuLease, Job
from labs.quota.models import Account

DUE_SHOWN = 6
JOBS_SHOWN = 5
COHORTS_SHOWN = 8
_MILLI_HELD = Coalesce(Sum(F("milli__endswith") - F("milli__startswith")), 0)


_OPEN_JOBS = Compiled(
    lambda: (
        Job.objects.filter(owner_id=Given("user_id"), state__in=Job.OPEN_STATES)
        .select_related("environment")
        .order_by("-id")[:20]
    )
)
_ENDED_JOBS = Compiled(
    lambda: (
        Job.objects.filter(owner_id=Given("user_id"))
        .exclude(state__in=Job.OPEN_STATES)
        .order_by("-ended_at")[:JOBS_SHOWN]
    )
)


def learner_today(user: User, enrolments: list[Enrolment], now: datetime) -> dict[str, Any]:
    """Return the day of a learner with these active enrolments; eight queries."""
    due = due_of(enrolments, now)
    return {
        "enrolments": enrolments,
        "due": due.labs[:DUE_SHOWN],
        "work": due.work[:DUE_SHOWN],
        "due_more": max(0, len(due.labs) - DUE_SHOWN) + max(0, len(due.work) - DUE_SHOWN),
        "open_jobs": _OPEN_JOBS.models(user_id=user.pk),
        "ended_jobs": _ENDED_JOBS.models(user_id=user.pk),
        "accounts": [row.account for row in enrolments],
    }


def staff_today(standing: Standing) -> dict[str, Any]:
    """Return what staff look at first: their cohorts with open jobs, and the pool; at most six queries."""
    # Counted for the cohorts shown only; a join would group every enrolment that one looks after.
    active = Enrolment.objects.filter(cohort=OuterRef("pk"), state=Enrolment.State.ACTIVE).order_by()
    learners = Coalesce(Subquery(active.values("cohort").annotate(n=Count("pk")).values("n")), 0)
    cohorts = list(runs_taught(standing).annotate(learners=learners)[:COHORTS_SHOWN])
    context: dict[str, Any] = {"cohorts": cohorts}
    context["pool"] = {
        "gpus": Gpu.objects.exclude(node__state=Node.State.DOWN).count(),
        "busy": GpuLease.objects.aggregate(milli=_MILLI_HELD)["milli"] / Decimal(WHOLE_GPU),
        "waiting": Job.objects.filter(state=Job.State.QUEUED).count(),
    }
    context["nodes_out"] = list(Node.objects.exclude(state=Node.State.UP).only("name", "state", "drain_reason"))
    if standing.is_administering:
        scopes = standing.scope_ids(ADMINISTERING)
        short = Account.objects.filter(
            scope__path__overlap=scopes, kind__in=[Account.Kind.CAMPUS, Account.Kind.PROGRAMME, Account.Kind.COHORT]
        )
        context["short_accounts"] = [
            account
            for account in short.order_by("path")
            if account.allocated_s and account.available_s * 10 < account.allocated_s
        ]
    return context
