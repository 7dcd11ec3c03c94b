"""Deadlines that moved: learners whose own it is are told once what counts for them now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.urls import reverse

from campus.core.clock import database_now
from campus.core.notices.services import notify
from courses.catalog.models import Enrolment
from courses.content.api import locked_for

from .deadlines import deadlines_of
from .models import Assignment
from .results import is_shown

Times = Mapping[tuple[int, int], datetime | None]
"""By (assignment id, enrolment id); None where there is no deadline."""


def due_times(assignments: Sequence[Assignment], learners: Sequence[Enrolment]) -> Times:
    """Return what is due when as things stand, to be compared by `tell_moved`. One query."""
    return {pair: one.due_at for pair, one in deadlines_of(assignments, learners).items()}


def tell_moved(assignments: Sequence[Assignment], learners: Sequence[Enrolment], before: Times) -> None:
    """Tell learners of deadlines that are no longer what they were, inside the caller's transaction.

    Several at once are one notice. Nobody hears of what is hidden or closed to them, or of what is long past. Of the
    assignments, module, run and course are read; of the learners, those who are enrolled now are told.
    """
    now, after = database_now(), due_times(assignments, learners)
    shown = {one.pk: one for one in assignments if is_shown(one) and one.module.run.is_published}
    reached = [one for one in learners if one.state == Enrolment.State.ACTIVE]
    moved: dict[int, list[int]] = defaultdict(list)
    for pk, enrolment_id in after:
        pair = (pk, enrolment_id)
        if pk in shown and after[pair] != before.get(pair) and not _is_past(now, before.get(pair), after[pair]):
            moved[enrolment_id].append(pk)
    closed = locked_for([one for one in reached if one.pk in moved], now) if moved else {}
    alike: dict[tuple[int, datetime | None, datetime | None], list[int]] = defaultdict(list)
    for learner in reached:
        theirs = [pk for pk in moved[learner.pk] if shown[pk].module_id not in closed.get(learner.pk, ())]
        if len(theirs) > 1:
            _tell_of_many(shown[theirs[0]], learner, len(theirs))
        elif theirs:
            (pk,) = theirs
            alike[pk, before.get((pk, learner.pk)), after[pk, learner.pk]].append(learner.user_id)
    for (pk, was_at, due_at), people in alike.items():
        _tell_of_one(shown[pk], people, was_at, due_at)


def _is_past(now: datetime, *times: datetime | None) -> bool:
    """Whether neither the old nor the new deadline is still to come."""
    return all(at is not None and at <= now for at in times)


def _tell_of_one(
    assignment: Assignment, people: Sequence[int], was_at: datetime | None, due_at: datetime | None
) -> None:
    notify(
        recipient_ids=people,
        kind="assignments.moved",
        url=reverse("assignments:assignment", args=[assignment.pk]),
        facts={
            "title": assignment.title,
            "due_at": due_at.isoformat() if due_at else None,
            "before_at": was_at.isoformat() if was_at else None,
        },
    )


def _tell_of_many(one_of: Assignment, learner: Enrolment, count: int) -> None:
    run = one_of.module.run
    notify(
        recipient_ids=[learner.user_id],
        kind="assignments.many_moved",
        url=reverse("assignments:list", args=[run.slug]),
        facts={"course": run.course.name_ko, "count": count},
    )
