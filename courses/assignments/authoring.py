"""Writing assignments and their tests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput, NotFound
from campus.people.models import User
from courses.catalog.api import get_editable_run, save_changes, save_new
from courses.catalog.models import Enrolment
from courses.content.models import Module
from labs.jobs import api as jobs

from .domain.cases import BadTests, cases_of
from .domain.rubrics import BadRubric, Criterion, as_json, from_json, most_points, parse, with_keys_of
from .models import Assignment, Lab, LateDayBank, OutagePolicy, Score, TestSuite
from .moving import due_times, tell_moved
from .scheduler import follow_deadlines
from .scores import rescore


@transaction.atomic
def open_assignment(*, module_id: int, actor: User | None, **fields: Any) -> Assignment:
    """Add an assignment at the end of a module. Raises NotFound, NotAllowed, InvalidInput."""
    module = Module.objects.select_for_update(of=("self",)).select_related("run").filter(pk=module_id).first()
    if module is None:
        raise NotFound
    if actor is not None:
        get_editable_run(actor, module.run)
    last = Assignment.objects.filter(module=module).aggregate(last=Max("position"))["last"] or 0
    assignment = Assignment(module=module, position=last + 1, **fields)
    _check(assignment)
    save_new(assignment, actor=actor)
    _tell_lab(assignment)
    return assignment


#: What decides about deadlines.
_TIMES = ("opens_at", "due_at")


@transaction.atomic
def change_assignment(*, assignment_id: int, fields: Mapping[str, Any], actor: User | None) -> Assignment:
    """Change an assignment; what was handed in and graded stays as it is.

    Where the deadline moved, lateness is judged anew, and learners whose own deadline is another now are told. What was
    picked stays with its criterion, found by title. Raises NotFound, NotAllowed, InvalidInput.
    """
    assignment = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("module__run__course", "lab")
        .filter(pk=assignment_id)
        .first()
    )
    if assignment is None:
        raise NotFound
    if actor is not None:
        get_editable_run(actor, assignment.module.run)
    kind, lab = fields.get("kind", assignment.kind), fields.get("lab", assignment.lab)
    if (kind, lab) != (assignment.kind, assignment.lab) and assignment.submissions.exists():
        raise InvalidInput({"kind": _("Work was handed in already, so that the kind stays as it is.")})
    group_set = fields.get("group_set", assignment.group_set)
    if group_set != assignment.group_set and assignment.submissions.exists():
        raise InvalidInput({"group_set": _("Work was handed in already, so that it stays as it is.")})
    probe = Assignment(**{"module": assignment.module, "kind": kind, "lab": lab} | _judged(assignment, fields))
    _check(probe)
    if "rubric" in fields:
        kept = with_keys_of(from_json(assignment.rubric), from_json(fields["rubric"]))
        fields = {**fields, "rubric": as_json(kept)}
    moves = any(fields.get(name, getattr(assignment, name)) != getattr(assignment, name) for name in _TIMES)
    learners = list(Enrolment.objects.filter(run=assignment.module.run_id).order_by("pk")) if moves else []
    due_at, was_shown = due_times([assignment], learners), assignment.is_published
    save_changes(assignment, fields, actor=actor)
    _tell_lab(assignment)
    follow_deadlines([assignment])
    if moves:
        moved = {"deadline_sequence": F("deadline_sequence") + 1, "deadline_changed_at": Now()}
        Assignment.objects.filter(pk=assignment.pk).update(**moved)
        _rejudge(assignment, actor)
        if was_shown and actor is not None:
            tell_moved([assignment], learners, due_at)
    return assignment


def _rejudge(assignment: Assignment, actor: User | None) -> None:
    scores = Score.objects.select_related("enrolment__cohort").filter(assignment=assignment, raw__isnull=False)
    for score in scores.order_by("pk"):
        rescore(assignment=assignment, enrolment=score.enrolment, actor=actor, reason="deadline")


def _judged(assignment: Assignment, fields: Mapping[str, Any]) -> dict[str, Any]:
    names = ("points", "rubric", "opens_at", "due_at", "closes_at", "group_set")
    return {name: fields.get(name, getattr(assignment, name)) for name in names}


def _check(assignment: Assignment) -> None:
    wrong: dict[str, str] = {}
    if (assignment.kind == Assignment.Kind.LAB) != (assignment.lab is not None):
        wrong["lab"] = _("A lab assignment names its lab, and no other kind does.")
    elif assignment.lab is not None and assignment.lab.module_id != assignment.module_id:
        wrong["lab"] = _("Choose a lab of the same module.")
    if assignment.group_set is not None and assignment.group_set.run_id != assignment.module.run_id:
        wrong["group_set"] = _("Choose groups of this course.")
    if assignment.due_at and assignment.opens_at and assignment.due_at <= assignment.opens_at:
        wrong["due_at"] = _("The deadline must come after it opens.")
    if assignment.closes_at and (assignment.due_at is None or assignment.closes_at < assignment.due_at):
        wrong["closes_at"] = _("It closes no sooner than its deadline.")
    if wrong:
        raise InvalidInput(wrong)


def _tell_lab(assignment: Assignment) -> None:
    """A lab's own deadline is its assignment's: the lab's page, its runs and the scheduler read it there."""
    if assignment.lab_id is not None:
        Lab.objects.filter(pk=assignment.lab_id).update(due_at=assignment.due_at)


def read_rubric(text: str, points: Any) -> list[dict[str, Any]]:
    """Read a rubric as it was typed, to be stored. Raises InvalidInput (rubric_text)."""
    try:
        criteria: tuple[Criterion, ...] = parse(text)
    except BadRubric as error:
        words = {
            "criterion": _("Line %(line)d: write “Title: label = points; label = points”."),
            "level": _("Line %(line)d: give 2 to 9 levels, each with a label and points."),
            "points": _("Line %(line)d: points are numbers from 0 up, with at most two decimals."),
            "too_many": _("Line %(line)d: at most nine criteria, so that each has a key."),
            "doubled": _("Line %(line)d: this title is there already."),
        }
        raise InvalidInput({"rubric_text": words[error.code] % {"line": error.line}}) from error
    if points is not None and most_points(criteria) > points:
        raise InvalidInput({"rubric_text": _("The rubric gives more points than the assignment has.")})
    return as_json(criteria)


@transaction.atomic
def save_suite(
    *,
    assignment_id: int,
    visible: str,
    hidden: str,
    environment_id: int | None,
    seed: int,
    wall_s: int,
    gpus: int,
    actor: User | None,
) -> TestSuite:
    """Add a version of the tests; submissions from now on are tested with it, older ones by a regrade.

    Raises NotFound, NotAllowed, InvalidInput (visible, hidden, and how much it asks for).
    """
    assignment = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("module__run")
        .filter(pk=assignment_id)
        .first()
    )
    if assignment is None:
        raise NotFound
    if actor is not None:
        get_editable_run(actor, assignment.module.run)
    visible, hidden = (text.replace("\r\n", "\n") for text in (visible, hidden))
    cases = _cases(visible, hidden)
    jobs.check_size(gpus=gpus, gpu_type="", wall_s=wall_s)
    last = TestSuite.objects.filter(assignment=assignment).aggregate(last=Max("version"))["last"] or 0
    suite = TestSuite.objects.create(
        assignment=assignment, version=last + 1, visible=visible, hidden=hidden, cases=cases,
        environment_id=environment_id, seed=seed, wall_s=wall_s, gpus=gpus, author=actor,
    )  # fmt: skip
    audit.record(actor=actor, verb="test_suite.opened", target=suite)
    return suite


def _cases(visible: str, hidden: str) -> list[list[Any]]:
    try:
        cases = cases_of(visible, hidden)
    except BadTests as error:
        words = {
            "syntax": _("This is no Python: look at line %(at)s."),
            "doubled": _("“%(at)s” is there twice; each test has a name of its own."),
            "weights": _("WEIGHTS maps names of tests to whole numbers from 1 up: look at “%(at)s”."),
            "too_many": _("At most %(at)s tests, please."),
        }
        raise InvalidInput({error.part: words[error.code] % {"at": error.at}}) from error
    return [[case.name, case.title, case.weight, case.is_visible] for case in cases]


@transaction.atomic
def set_late_days(*, run_id: int, days: int, actor: User | None, is_automatic: bool = False) -> LateDayBank:
    """Say how many late days each learner of a run has in all, and whether late work takes them by itself.

    The caller has judged the right. Raises InvalidInput (days).
    """
    if not 0 <= days <= 60:
        raise InvalidInput({"days": _("Use 0 to 60 days.")})
    bank, _made = LateDayBank.objects.get_or_create(run_id=run_id)
    save_changes(bank, {"days": days, "is_automatic": is_automatic}, actor=actor)
    return bank


@transaction.atomic
def set_outage_policy(*, run_id: int, fields: Mapping[str, Any], actor: User | None) -> OutagePolicy:
    """Say what a run offers after an outage; open offers follow. The caller judged the right. Raises InvalidInput."""
    policy, _made = OutagePolicy.objects.get_or_create(run_id=run_id)
    save_changes(policy, fields, actor=actor)
    return policy


def apply_late_policy(*, run_id: int, fields: Mapping[str, Any], actor: User, now: datetime) -> int:
    """Give all assignments of a run that are not due yet the same late policy; returns how many changed."""
    open_ones = Assignment.objects.filter(module__run=run_id).exclude(due_at__lte=now)
    different = open_ones.exclude(**fields).order_by("pk").values_list("pk", flat=True)
    with transaction.atomic():
        ids = list(different)
        for pk in ids:
            change_assignment(assignment_id=pk, fields=fields, actor=actor)
    return len(ids)
