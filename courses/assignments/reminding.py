"""Reminding learners of what is due within a day, by their own deadline; once for each deadline."""

from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from campus.core.clock import database_now
from campus.core.notices.services import notify
from courses.catalog.models import Enrolment
from courses.content.api import locked_for

from .models import Assignment
from .work_lists import WorkState, work_of

AHEAD = timedelta(days=1)


@transaction.atomic
def remind() -> int:
    """Tell whoever has handed nothing in and has less than a day left; returns how many reminders were due.

    An extension moves the reminder along: its key is the deadline. A doubled beat tells nobody twice.
    """
    now = database_now()
    rows = Assignment.objects.select_related("module").filter(
        is_published=True, module__is_published=True, module__run__is_published=True, due_at__isnull=False,
        module__run__term__ends_on__gte=timezone.localdate(now) - timedelta(days=30),
    )  # fmt: skip
    assignments = list(rows)
    learners = list(
        Enrolment.objects.filter(run__in={one.module.run_id for one in assignments}, state=Enrolment.State.ACTIVE)
    )
    told, closed = 0, locked_for(learners, now)
    for one in work_of(assignments, learners, now):
        if one.enrolment is not None and one.assignment.module_id in closed[one.enrolment.pk]:
            continue  # the reminder follows once it opens
        if one.state is WorkState.TO_DO and one.slack is not None and one.slack <= AHEAD and one.enrolment is not None:
            due_at = one.deadline.due_at.isoformat() if one.deadline.due_at else ""
            notify(
                recipient_ids=[one.enrolment.user_id],
                kind="assignments.due",
                url=reverse("assignments:assignment", args=[one.assignment.pk]),
                facts={"title": one.assignment.title, "due_at": due_at},
                key=f"due:{one.assignment.pk}:{due_at}",
            )
            told += 1
    return told
