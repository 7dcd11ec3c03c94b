"""Writing modules, and marking lessons as done."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from campus.core.errors import NotAllowed, NotFound
from campus.people.models import User
from courses.catalog.api import RunAccess, get_editable_run, save_changes, save_new
from courses.catalog.models import CourseRun, Enrolment

from .models import Lesson, LessonCompletion, Module
from .needing import need_first


@transaction.atomic
def open_module(*, run_id: int, actor: User | None, **fields: Any) -> Module:
    """Add a module at the end of a run; `fields` as in `change_module`. Raises NotFound, NotAllowed, InvalidInput."""
    run = editable(CourseRun.objects.select_for_update().filter(pk=run_id).first(), actor)
    last = Module.objects.filter(run=run).aggregate(last=Max("position"))["last"] or 0
    needs = fields.pop("needs", ())
    module = Module(run=run, position=last + 1, **fields)
    save_new(module, actor=actor)
    need_first(module=module, needs=needs, actor=actor)
    return module


@transaction.atomic
def change_module(*, module_id: int, fields: Mapping[str, Any], actor: User | None) -> Module:
    """Change a module's title, start, opening, visibility, or `needs`: ids of modules that are to be finished first.

    The run is locked, so that two edits at once make no ring. Raises NotFound, NotAllowed, InvalidInput.
    """
    run = CourseRun.objects.select_for_update(of=("self",)).filter(modules=module_id).first()
    editable(run, actor)
    module = Module.objects.select_for_update(of=("self",)).select_related("run").filter(pk=module_id).first()
    if module is None:
        raise NotFound
    plain = dict(fields)
    needs = plain.pop("needs", None)
    save_changes(module, plain, actor=actor)
    if needs is not None:
        need_first(module=module, needs=needs, actor=actor)
    return module


def complete_lesson(*, lesson: Lesson, access: RunAccess, is_done: bool) -> None:
    """Mark a lesson as done, or not, for the learner of `access`. Twice is as once.

    Raises NotAllowed for staff, NotFound where the lesson was deleted meanwhile.
    """
    enrolment = access.enrolment
    if enrolment is None or enrolment.state != Enrolment.State.ACTIVE:
        raise NotAllowed(_("Only enrolled learners mark lessons as done."))
    if not is_done:
        LessonCompletion.objects.filter(enrolment=enrolment, lesson=lesson).delete()
        return
    try:
        LessonCompletion.objects.bulk_create(
            [LessonCompletion(enrolment=enrolment, lesson=lesson)], ignore_conflicts=True
        )
    except IntegrityError as error:  # a double is no conflict, so it is the lesson that is gone
        raise NotFound from error


def editable(run: CourseRun | None, actor: User | None) -> CourseRun:
    """Return the run where `actor` may change it; None as actor is the platform. Raises NotFound, NotAllowed."""
    if run is None:
        raise NotFound
    if actor is not None:
        get_editable_run(actor, run)
    return run
