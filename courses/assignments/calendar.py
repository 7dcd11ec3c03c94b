"""A learner's deadlines in their calendar: their own, as the resolver has them."""

from collections import defaultdict
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from courses.catalog.api import FeedEntry
from courses.catalog.models import Enrolment

from .deadlines import deadlines_of
from .models import Assignment, DeadlineChange
from .words import rule_words


def deadline_entries(user_id: int, since: datetime, until: datetime) -> list[FeedEntry]:
    """Return deadlines of published assignments of the courses that somebody takes. Four queries.

    The sequence counts what was ever changed about the deadline and taken back again: none of it is deleted, so that
    it only grows.
    """
    learners = list(
        Enrolment.objects.filter(user_id=user_id, state=Enrolment.State.ACTIVE, run__is_published=True).order_by("pk")
    )
    rows = Assignment.objects.select_related("module__run__course").filter(
        module__run__in=[one.run_id for one in learners], is_published=True, module__is_published=True
    )
    assignments = list(rows.order_by("pk"))
    deadlines = deadlines_of(assignments, learners)
    changes = _changes(learners)
    found = []
    for learner in learners:
        for one in assignments:
            due_at = deadlines[one.pk, learner.pk].due_at
            if one.module.run_id != learner.run_id or due_at is None or not since <= due_at < until:
                continue
            moves = [*changes[learner.pk, one.pk], *changes[learner.pk, None]]
            changed_at = max([one.created_at, one.deadline_changed_at or one.created_at, *moves])
            url = settings.CAMPUS_URL + reverse("assignments:assignment", args=[one.pk])
            found.append(
                FeedEntry(
                    uid=f"deadline-{one.pk}-{learner.pk}@campus",
                    sequence=one.deadline_sequence + len(moves),
                    changed_at=changed_at,
                    at=due_at,
                    summary=_("Due: %(title)s · %(course)s")
                    % {"title": one.title, "course": one.module.run.course.name},
                    description="\n".join(text for text in (rule_words(deadlines[one.pk, learner.pk]), url) if text),
                    url=url,
                    category=_("Deadline"),
                )
            )
    return found


def _changes(learners: list[Enrolment]) -> dict[tuple[int, int | None], list[datetime]]:
    """Every time at which something was changed or taken back, by learner and assignment (None: all of the run)."""
    cohorts: dict[int, int] = {one.cohort_id: one.pk for one in learners}
    found: dict[tuple[int, int | None], list[datetime]] = defaultdict(list)
    rows = DeadlineChange.objects.filter(Q(enrolment__in=learners) | Q(cohort__in=cohorts))
    for enrolment_id, cohort_id, assignment_id, at, revoked_at in rows.values_list(
        "enrolment_id", "cohort_id", "assignment_id", "at", "revoked_at"
    ):
        whose = enrolment_id or cohorts[cohort_id]
        found[whose, assignment_id] += [at, revoked_at] if revoked_at else [at]
    return found
