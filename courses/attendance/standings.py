"""Where learners stand in their term: marks of all classes of their cohort folded by the run's policy."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Count

from campus.core.compiled import AnyOf, Compiled
from courses.attendance.domain.rules import Rules, rules_from
from courses.attendance.domain.standing import Standing, standing
from courses.attendance.domain.verdict import Mark as PureMark
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession, Kind, SessionCohort

from .models import Mark, Policy, Verdict


def newest_rules(run_ids: Iterable[int]) -> dict[int, tuple[int, Rules]]:
    """Run to the version and rules of its policy; the house's (version 0) where it has none. One query."""
    wanted = set(run_ids)
    newest = Policy.objects.filter(run_id__in=wanted).order_by("run_id", "-version").distinct("run_id")
    found = {row.run_id: (row.version, rules_from(row.rules)) for row in newest}
    return {run_id: found.get(run_id, (0, Rules())) for run_id in wanted}


# Compiled: the ids of 300 learners go as one array and not as 300 values, which take longer than the query.
_MARKS = Compiled(
    lambda: (
        Verdict.objects.filter(enrolment_id=AnyOf("enrolments"), session__state=ClassSession.State.PLANNED)
        .exclude(mark=Mark.NONE)
        .values_list("enrolment_id", "mark")
    )
)


def standings(enrolments: Sequence[Enrolment]) -> dict[int, Standing]:
    """Enrolment to standing. Three queries whatever their number. Classes that were cancelled do not count."""
    rules = newest_rules(row.run_id for row in enrolments)
    held = SessionCohort.objects.filter(
        cohort__in={row.cohort_id for row in enrolments}, session__state=ClassSession.State.PLANNED
    ).exclude(session__kind=Kind.OFFICE)
    planned = dict(held.values_list("cohort").annotate(n=Count("pk")).order_by())
    marks: dict[int, list[PureMark]] = defaultdict(list)
    for enrolment_id, mark in _MARKS.rows(enrolments=[row.pk for row in enrolments]) if enrolments else ():
        marks[enrolment_id].append(PureMark(mark))
    return {row.pk: standing(marks[row.pk], planned.get(row.cohort_id, 0), rules[row.run_id][1]) for row in enrolments}
