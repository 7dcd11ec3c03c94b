"""Gathering what is known of a cohort's learners, in a fixed number of queries whatever their number."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from campus.core.compiled import AnyOf, Compiled
from courses.assignments.api import deadlines_of, results_of
from courses.assignments.models import Assignment, Submission
from courses.attendance.api import standings
from courses.catalog.models import Cohort, Enrolment
from courses.content.models import Lesson, LessonCompletion
from labs.jobs.models import Job

from .domain.signals import Cohort as Middle
from .domain.signals import Evidence, Signal, Thresholds, cohort_of, open_signals, signals
from .models import SupportNote, SupportSettings


@dataclass(frozen=True)
class Looked:
    """A learner with evidence, all signals, and those that nobody has noted at this level."""

    enrolment: Enrolment
    evidence: Evidence
    signals: tuple[Signal, ...]
    open: tuple[Signal, ...]


@dataclass(frozen=True)
class Overview:
    cohort: Middle
    thresholds: Thresholds
    rows: list[Looked]


def thresholds_of(run_id: int) -> Thresholds:
    """The run's thresholds, or those of the house. One query."""
    fields = ("absences", "lessons_pct", "missing", "late", "idle_days", "falling_pct")
    kept = SupportSettings.objects.filter(run_id=run_id).values(*fields).first()
    return Thresholds(**kept) if kept else Thresholds()


def overview(cohort: Cohort, now: datetime) -> Overview:
    """Return everybody who is enrolled, by name."""
    enrolments = _enrolments(cohort)
    found, lessons = _evidence(cohort, enrolments, now)
    middle, limits = cohort_of(found.values(), lessons), thresholds_of(cohort.run_id)
    noted = _noted(enrolments)
    rows = []
    for one in enrolments:
        raised = signals(found[one.pk], middle, limits)
        rows.append(Looked(one, found[one.pk], raised, open_signals(raised, noted[one.pk])))
    return Overview(middle, limits, rows)


def _open_lessons(cohort: Cohort) -> QuerySet[Lesson]:
    return Lesson.objects.filter(module__run_id=cohort.run_id, is_published=True, module__is_published=True)


def _enrolments(cohort: Cohort) -> list[Any]:
    """Everybody who is enrolled, by name, with `lessons_done`. One query."""
    done = LessonCompletion.objects.filter(enrolment=OuterRef("pk"), lesson__in=_open_lessons(cohort)).order_by()
    counted = done.values("enrolment").annotate(n=Count("pk")).values("n")
    active = Enrolment.objects.filter(cohort=cohort, state=Enrolment.State.ACTIVE).select_related("user")
    return list(active.annotate(lessons_done=Coalesce(Subquery(counted), 0)).order_by("user__name", "pk"))


# Compiled: the ids of 300 learners go as one array and not as 300 values, which take longer than the query.
_NOTED = Compiled(
    lambda: (
        SupportNote.objects.filter(enrolment_id=AnyOf("learners"))
        .order_by("enrolment_id", "kind", "-id")
        .distinct("enrolment_id", "kind")
        .values_list("enrolment_id", "kind", "level")
    )
)
_LATE = Compiled(
    lambda: (
        Submission.objects.filter(owners__enrolment_id=AnyOf("learners"), submitted_at__gt=F("due_at"))
        .values_list("owners__enrolment_id", "assignment_id")
        .annotate(last=Max("submitted_at"))
        .order_by()
    )
)


def _noted(enrolments: Sequence[Enrolment]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for enrolment_id, kind, level in _NOTED.rows(learners=[one.pk for one in enrolments]) if enrolments else ():
        found[enrolment_id][kind] = level
    return found


def _evidence(cohort: Cohort, enrolments: Sequence[Any], now: datetime) -> tuple[dict[int, Evidence], int]:
    attended = standings(enrolments)
    lessons = _open_lessons(cohort).count()
    missing, grades = _work(cohort.run_id, enrolments)
    late = _late(enrolments)
    idle = _days_idle(cohort, enrolments, now)
    return {
        one.pk: Evidence(
            absences=attended[one.pk].absences,
            from_lates=attended[one.pk].from_lates,
            classes=attended[one.pk].planned,
            lessons_done=one.lessons_done,
            missing=missing[one.pk],
            late=late[one.pk],
            days_idle=idle.get(one.pk),
            grades=tuple(grades[one.pk]),
        )
        for one in enrolments
    }, lessons


def _work(run_id: int, enrolments: Sequence[Enrolment]) -> tuple[Counter[int], dict[int, list[Decimal]]]:
    """How many assignments are missing, and the grades in percent, in course order."""
    missing: Counter[int] = Counter()
    grades: dict[int, list[Decimal]] = defaultdict(list)
    for result in results_of(run_id, enrolments=enrolments, is_explained=False):
        if result.state == "MISSING":
            missing[result.enrolment_id] += 1
        elif result.points is not None and result.out_of:
            grades[result.enrolment_id].append(result.points * 100 / result.out_of)
    return missing, grades


def _late(enrolments: Sequence[Enrolment]) -> Counter[int]:
    """How many assignments came late by the deadline as it is now: who was given more time afterwards was not late."""
    rows = _LATE.rows(learners=[one.pk for one in enrolments]) if enrolments else []
    if not rows:
        return Counter()
    assignments = list(Assignment.objects.filter(pk__in={assignment_id for _pk, assignment_id, _at in rows}))
    grace = {one.pk: timedelta(seconds=one.late_grace_s) for one in assignments}
    deadlines = deadlines_of(assignments, enrolments)
    due = ((pk, one, at, deadlines[one, pk].due_at) for pk, one, at in rows)
    return Counter(pk for pk, one, at, due_at in due if due_at is not None and at > due_at + grace[one])


def _days_idle(cohort: Cohort, enrolments: Sequence[Enrolment], now: datetime) -> dict[int, int]:
    """Whole days since the last job paid by the cohort, or since enrolling; nothing where nobody ever ran one."""
    jobs = Job.objects.filter(account__path__contains=[cohort.account_id])
    last = dict(jobs.values_list("owner").annotate(at=Max("submitted_at")).order_by())
    if not last:
        return {}
    return {one.pk: (now - last.get(one.user_id, one.enrolled_at)).days for one in enrolments}
