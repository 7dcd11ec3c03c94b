"""Reading labs and runs: a learner's progress, what is due, and a cohort at a glance."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Case, Count, F, FloatField, Func, Max, Min, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.db.models.lookups import Exact

from campus.core.compiled import AnyOf, Compiled, Given
from courses.catalog.api import RunAccess
from courses.catalog.models import Cohort, Enrolment
from courses.content.api import locked_for
from courses.content.models import LessonCompletion
from labs.jobs.models import Job

from .domain.progress import LabProgress, RunSummary, count_overdue, progress
from .lab_deadlines import lab_deadlines
from .models import Lab, LabRun


@dataclass(frozen=True)
class LabEntry:
    """A lab with one learner's progress; `progress` is None for staff and visitors. `due_at` is the reader's own."""

    lab: Lab
    progress: LabProgress | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class DueLab:
    """A lab on a learner's list of what is due, with that learner's own deadline."""

    lab: Lab
    enrolment: Enrolment
    progress: LabProgress
    due_at: datetime | None


@dataclass(frozen=True)
class Learner:
    """What a board says of a person."""

    pk: int
    name: str
    email: str


@dataclass(frozen=True)
class CohortRow:
    """One learner on the cohort board. GPU-seconds are the learner's account's; `labs_late` are past their deadline."""

    enrolment_id: int
    user: Learner
    mode: str
    labs_done: int
    labs_late: int
    last_activity_at: datetime | None
    used_s: int
    held_s: int
    allocated_s: int

    @property
    def mode_label(self) -> str:
        return str(Enrolment.Mode(self.mode).label)

    @property
    def left_s(self) -> int:
        return self.allocated_s - self.used_s - self.held_s


@dataclass(frozen=True)
class CohortOverview:
    """A cohort at a glance: its labs (published, by module) and a row for each active learner, by name.

    `done` says how many of the learners are done with a lab, by lab id.
    """

    cohort: Cohort
    labs: tuple[Lab, ...]
    done: Mapping[int, int]
    rows: tuple[CohortRow, ...]


_LABS = Compiled(
    lambda: (
        Lab.objects.filter(
            module__run_id=Given("run_id"), is_published=AnyOf("shown"), module__is_published=AnyOf("shown")
        )
        .exclude(module_id=AnyOf("closed"))
        .select_related("module", "assignment")
        .order_by("module__position", "position")
    )
)


def labs_of(access: RunAccess, now: datetime, closed: Collection[int] = ()) -> list[LabEntry]:
    """Return the run's labs with the reader's progress, hidden ones for staff only. Three queries at most.

    Those of `closed` modules are left out.
    """
    hidden = [] if access.is_staff else list(closed)
    labs = _LABS.models(run_id=access.run.pk, shown=access.shown, closed=hidden)
    me = access.enrolment
    if me is None:
        return [LabEntry(lab, due_at=lab.due_at) for lab in labs]
    summaries, due = summaries_of([me.pk]), lab_deadlines(labs, [me])
    return [
        LabEntry(lab, _progress(lab, summaries.get((me.pk, lab.pk)), due_at, now), due_at)
        for lab in labs
        for due_at in [due.of(lab, me.pk)]
    ]


def lab_entry(lab: Lab, enrolment: Enrolment, now: datetime) -> LabEntry:
    """Return one lab with one learner's progress. Two queries at most."""
    due_at = lab_deadlines([lab], [enrolment]).of(lab, enrolment.pk)
    summaries = summaries_of([enrolment.pk], lab_ids=[lab.pk])
    return LabEntry(lab, _progress(lab, summaries.get((enrolment.pk, lab.pk)), due_at, now), due_at)


def my_labs(user_id: int, now: datetime) -> list[DueLab]:
    """Return all labs of a learner's runs that are open to them, with progress, soonest due first. Six queries."""
    enrolments = {
        row.run_id: row
        for row in Enrolment.objects.select_related("cohort", "account").filter(
            user_id=user_id, state=Enrolment.State.ACTIVE, run__is_published=True
        )
    }
    labs = (
        Lab.objects.select_related("module__run__course", "module__run__term", "environment", "starter", "assignment")
        .prefetch_related("data_sets")
        .filter(module__run_id__in=enrolments, is_published=True, module__is_published=True)
        .exclude(module_id__in=set().union(*locked_for(enrolments.values(), now).values()))
        .order_by(*SOONEST_DUE)
    )
    return sorted(lab_entries(labs, enrolments, now), key=_soonest)


def _soonest(entry: DueLab) -> tuple[bool, float]:
    return (entry.due_at is None, entry.due_at.timestamp() if entry.due_at else 0.0)


SOONEST_DUE = (F("due_at").asc(nulls_last=True), "module__position", "position")


def lab_entries(labs: Iterable[Lab], enrolments: Mapping[int, Enrolment], now: datetime) -> list[DueLab]:
    """Return one learner's progress in labs with modules and assignments, in their order; `enrolments` by run.

    Two queries at most.
    """
    rows, mine = list(labs), list(enrolments.values())
    summaries = summaries_of([one.pk for one in mine], lab_ids=[lab.pk for lab in rows])
    due = lab_deadlines(rows, mine)
    return [
        DueLab(lab, enrolment, _progress(lab, summaries.get((enrolment.pk, lab.pk)), due_at, now), due_at)
        for lab in rows
        for enrolment in [enrolments[lab.module.run_id]]
        for due_at in [due.of(lab, enrolment.pk)]
    ]


def runs_of_lab(lab: Lab, enrolment: Enrolment, most: int = 20) -> list[LabRun]:
    """Return a learner's newest runs of a lab with their jobs. One query."""
    rows = LabRun.objects.select_related("job").filter(lab=lab, enrolment=enrolment)
    return list(rows.order_by("-job_id")[:most])


def best_value(run: LabRun, lab: Lab) -> float | None:
    """Return what a run reached in the lab's metric, where it wrote a number."""
    value = run.job.result.get(lab.main_metric)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def cohort_overview(cohort: Cohort, now: datetime) -> CohortOverview:
    """Return a cohort at a glance. Five queries at most, however many learners it has.

    It counts and sums only, so that 300 learners of 16 labs cost little; `lab_progress` tells the labs of those shown.
    """
    labs = tuple(_LABS.models(run_id=cohort.run_id, shown=[True], closed=[]))
    read, ran = dict(_LAST_READ.rows(cohort=cohort.pk)), _runs_at_a_glance(cohort, [lab.pk for lab in labs])
    learners = _learners(cohort)
    overdue = _overdue(labs, [_Whose(row[0], cohort.pk) for row in learners], now)
    rows, done = [], Counter[int]()
    for pk, user_id, name, email, mode, used_s, held_s, allocated_s in learners:
        succeeded, is_open, submitted_at = ran.get(pk, _NO_RUNS)
        done.update(succeeded)
        rows.append(
            CohortRow(
                enrolment_id=pk,
                user=Learner(user_id, name, email),
                mode=mode,
                labs_done=len(succeeded),
                labs_late=count_overdue(overdue(pk), succeeded=succeeded, is_open=is_open),
                last_activity_at=max((at for at in (submitted_at, read.get(pk)) if at is not None), default=None),
                used_s=used_s,
                held_s=held_s,
                allocated_s=allocated_s,
            )
        )
    return CohortOverview(cohort, labs, done, tuple(rows))


class _Whose(NamedTuple):
    """An enrolment, as far as its deadlines depend on it."""

    pk: int
    cohort_id: int


def _overdue(labs: Sequence[Lab], learners: Sequence[_Whose], now: datetime) -> Callable[[int], Collection[int]]:
    """Say which labs are past a learner's deadline. Most of a cohort have the same, which is found once. One query."""
    due = lab_deadlines(labs, learners)
    usual = next((one.pk for one in learners if one.pk not in due.of_their_own), None)
    most = due.overdue(labs, usual, now) if usual is not None else []
    theirs = {one.pk: due.overdue(labs, one.pk, now) for one in learners if one.pk in due.of_their_own}
    return lambda pk: theirs.get(pk, most)


def lab_progress(
    overview: CohortOverview, enrolment_ids: Collection[int], now: datetime
) -> dict[int, list[LabProgress]]:
    """Return progress of some of a cohort's learners by enrolment id, in the order of its labs. Two queries at most."""
    labs = overview.labs
    summaries = summaries_of(enrolment_ids, lab_ids=[lab.pk for lab in labs])
    due = lab_deadlines(labs, [_Whose(pk, overview.cohort.pk) for pk in enrolment_ids])
    return {
        pk: [_progress(lab, summaries.get((pk, lab.pk)), due.of(lab, pk), now) for lab in labs] for pk in enrolment_ids
    }


# Plain values: a model for each enrolment, user and account would take longer than the query.
_LEARNERS = Compiled(
    lambda: Enrolment.objects.filter(cohort_id=Given("cohort"), state=Enrolment.State.ACTIVE).values_list(
        "pk", "user_id", "user__name", "user__email", "mode", "account__used_s", "account__held_s",
        "account__allocated_s",
    )
)  # fmt: skip
_LAST_READ = Compiled(
    lambda: (
        LessonCompletion.objects.filter(enrolment__cohort_id=Given("cohort"))
        .order_by()
        .values_list("enrolment_id")
        .annotate(last=Max("at"))
    )
)


def _learners(cohort: Cohort) -> list[tuple[Any, ...]]:
    return sorted(_LEARNERS.rows(cohort=cohort.pk), key=lambda row: (row[2], row[0]))


#: The labs that a learner succeeded in, those where a run is queued or running, and when the last one was submitted.
_Glance = tuple[list[int], list[int], datetime | None]
_NO_RUNS: _Glance = ([], [], None)


def _labs_where(**condition: Any) -> ArrayAgg:
    return ArrayAgg("lab_id", filter=Q(**condition), distinct=True, default=[])


_AT_A_GLANCE = Compiled(
    lambda: (
        LabRun.objects.filter(enrolment__cohort_id=Given("cohort"), lab_id=AnyOf("labs"))
        .order_by()
        .values_list("enrolment_id")
        .annotate(
            succeeded=_labs_where(job__state=Job.State.SUCCEEDED),
            is_open=_labs_where(job__state__in=(Job.State.QUEUED, Job.State.RUNNING)),
            last=Max("job__submitted_at"),
        )
    )
)


def _runs_at_a_glance(cohort: Cohort, lab_ids: Sequence[int]) -> dict[int, _Glance]:
    rows = _AT_A_GLANCE.rows(cohort=cohort.pk, labs=list(lab_ids))
    return {pk: (succeeded, is_open, last) for pk, succeeded, is_open, last in rows}


def summaries_of(
    enrolment_ids: Iterable[int], lab_ids: Sequence[int] | None = None
) -> dict[tuple[int, int], RunSummary]:
    """Return what became of learners' runs, by (enrolment id, lab id). One query, summed in the database."""
    learners = list(enrolment_ids)
    if lab_ids is None:
        rows = _SUMS.rows(learners=learners)
    else:
        rows = _SUMS_OF_LABS.rows(learners=learners, labs=list(lab_ids)) if learners and lab_ids else []
    return {(enrolment_id, lab_id): RunSummary(*sums) for enrolment_id, lab_id, *sums in rows}


def _sums(**which: Any) -> QuerySet[LabRun, Any]:
    """The values of a `RunSummary`, in its order, behind their keys."""
    state, succeeded = "job__state", Q(job__state=Job.State.SUCCEEDED)
    return (
        LabRun.objects.filter(**which)
        .order_by()
        .annotate(value=_metric_value())
        .values_list("enrolment_id", "lab_id")
        .annotate(
            runs=Count("pk"),
            queued=Count("pk", filter=Q(**{state: Job.State.QUEUED})),
            running=Count("pk", filter=Q(**{state: Job.State.RUNNING})),
            succeeded=Count("pk", filter=succeeded),
            first_success_at=Min("job__submitted_at", filter=succeeded),
            highest=Max("value", filter=succeeded),
            lowest=Min("value", filter=succeeded),
            last_job_id=Max("job_id"),
            last_submitted_at=Max("job__submitted_at"),
        )
    )


_SUMS = Compiled(lambda: _sums(enrolment_id=AnyOf("learners")))
_SUMS_OF_LABS = Compiled(lambda: _sums(enrolment_id=AnyOf("learners"), lab_id=AnyOf("labs")))


def _metric_value() -> Case:
    """The lab's metric in the job's result as a number, or NULL where it is none."""
    found = Func(F("job__result"), F("lab__main_metric"), function="jsonb_extract_path")
    text = Func(F("job__result"), F("lab__main_metric"), function="jsonb_extract_path_text", output_field=TextField())
    kind = Func(found, function="jsonb_typeof", output_field=TextField())
    return Case(When(Exact(kind, Value("number")), then=Cast(text, FloatField())), default=Value(None))


def _progress(lab: Lab, runs: RunSummary | None, due_at: datetime | None, now: datetime) -> LabProgress:
    return progress(runs or RunSummary(), metric=lab.main_metric, due_at=due_at, now=now)


def group_by_module(entries: Iterable[LabEntry]) -> dict[int, list[LabEntry]]:
    """Return lab entries by module id."""
    grouped: dict[int, list[LabEntry]] = defaultdict(list)
    for entry in entries:
        grouped[entry.lab.module_id].append(entry)
    return grouped
