"""What a copied run takes over of labs and assignments: briefs, starters, limits, rubrics, late rules, newest tests."""

from django.utils.translation import gettext_lazy as _

from campus.people.models import User
from courses.catalog.api import Copied, Copier, Line, Shift
from courses.catalog.models import CourseRun

from .models import Assignment, GroupSet, Lab, LateDayBank, OutagePolicy, TestSuite

_LAB = (
    "position", "title", "brief", "environment_id", "starter_id", "entrypoint", "gpus", "max_gpus", "gpu_milli",
    "max_gpu_milli", "gpu_memory_mib", "gpu_type", "wall_s", "max_wall_s", "main_metric", "is_published",
)  # fmt: skip
_ASSIGNMENT = (
    "position", "kind", "title", "brief", "points", "rubric", "attempts_allowed", "late_grace_s", "late_interval_s",
    "late_deduct_pct", "late_floor_pct", "allows_late_days", "is_anonymous", "is_published",
)  # fmt: skip
_SUITE = ("visible", "hidden", "cases", "environment_id", "seed", "wall_s", "gpus")


def lab_lines(run: CourseRun, shift: Shift) -> list[Line]:
    """Return the labs. One query."""
    labs = Lab.objects.filter(module__run=run).order_by("module__position", "position")
    return [Line(one.title, ((_("Due"), one.due_at, shift.time(one.due_at)),) if one.due_at else ()) for one in labs]


def copy_labs(source: CourseRun, target: CourseRun, shift: Shift, copied: Copied, actor: User | None) -> None:
    """Copy labs with starters and data sets. Four queries."""
    modules = copied.of("module")
    labs = list(Lab.objects.filter(module__run=source).order_by("pk"))
    made = Lab.objects.bulk_create(
        Lab(module_id=modules[one.module_id], due_at=shift.time(one.due_at), **_same(one, _LAB)) for one in labs
    )
    ids = {old.pk: new.pk for old, new in zip(labs, made, strict=True)}
    copied.keep("lab", ids)
    links = Lab.data_sets.through
    pairs = links.objects.filter(lab_id__in=ids).values_list("lab_id", "dataset_id")
    links.objects.bulk_create(links(lab_id=ids[lab], dataset_id=data_set) for lab, data_set in pairs)


def assignment_lines(run: CourseRun, shift: Shift) -> list[Line]:
    """Return the assignments. One query."""
    found = []
    for one in Assignment.objects.filter(module__run=run).order_by("module__position", "position"):
        named = ((_("It opens"), one.opens_at), (_("Due"), one.due_at), (_("It closes"), one.closes_at))
        found.append(Line(one.title, tuple((what, at, shift.time(at)) for what, at in named if at)))
    return found


def copy_assignments(source: CourseRun, target: CourseRun, shift: Shift, copied: Copied, actor: User | None) -> None:
    """Copy assignments, each with its newest tests as their first version, with late days, outage rules and group sets.

    Sets are copied empty: the learners are others. Nine queries.
    """
    modules, labs = copied.of("module"), copied.of("lab")
    sets = _copy_group_sets(source, target)
    rows = list(Assignment.objects.filter(module__run=source).order_by("pk"))
    made = Assignment.objects.bulk_create(
        Assignment(
            module_id=modules[one.module_id], lab_id=labs[one.lab_id] if one.lab_id else None,
            group_set_id=sets[one.group_set_id] if one.group_set_id else None,
            opens_at=shift.time(one.opens_at), due_at=shift.time(one.due_at), closes_at=shift.time(one.closes_at),
            **_same(one, _ASSIGNMENT),
        )
        for one in rows
    )  # fmt: skip
    ids = {old.pk: new.pk for old, new in zip(rows, made, strict=True)}
    copied.keep("assignment", ids)
    newest = (
        TestSuite.objects.filter(assignment__in=ids).order_by("assignment_id", "-version").distinct("assignment_id")
    )
    TestSuite.objects.bulk_create(
        TestSuite(assignment_id=ids[one.assignment_id], version=1, author=actor, **_same(one, _SUITE)) for one in newest
    )
    for bank in LateDayBank.objects.filter(run=source):
        LateDayBank.objects.create(run=target, **_same(bank, ("days", "is_automatic")))
    for policy in OutagePolicy.objects.filter(run=source):
        OutagePolicy.objects.create(run=target, **_same(policy, ("look_back_h", "least_wait_min", "most_h")))


def _copy_group_sets(source: CourseRun, target: CourseRun) -> dict[int, int]:
    """Copy the names of group sets; returns old to new ids. Two queries."""
    rows = list(GroupSet.objects.filter(run=source).order_by("pk"))
    made = GroupSet.objects.bulk_create(GroupSet(run=target, name=one.name) for one in rows)
    return {old.pk: new.pk for old, new in zip(rows, made, strict=True)}


def _same(one: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(one, name) for name in names}


COPIERS = (
    Copier("labs", _("Labs"), lab_lines, copy_labs, needs=("content",), order=20),
    Copier(
        "assignments", _("Assignments with tests and rubrics"), assignment_lines, copy_assignments,
        needs=("content", "labs"), order=30,
    ),
)  # fmt: skip
