"""Putting modules, lessons and labs in order, and deleting those that nobody has used yet.

Locks, in this order: the parent (the run of modules, the module of lessons and labs), then what is moved or deleted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, Max, Model, ProtectedError, QuerySet, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campus.core import audit
from campus.core.errors import Conflict, NotFound
from campus.people.models import User
from courses.catalog.api import get_editable_run
from courses.catalog.models import CourseRun

from .domain.order import NoSuchPlace, moved
from .models import Lesson, Module


@dataclass(frozen=True)
class Part:
    """Something that would be deleted; `use` says in words who has used it, and is empty where nobody has."""

    title: str
    use: str = ""


PartsOf = Callable[[int, bool], Sequence[Part]]
_more_parts: list[PartsOf] = []


def register_module_parts(provider: PartsOf) -> None:
    """Name who tells what else lies in a module: `provider(module_id, is_locked)`; locked, it stays as it is said."""
    if provider not in _more_parts:
        _more_parts.append(provider)


@transaction.atomic
def move_module(*, module_id: int, to: str, actor: User | None) -> None:
    """Move a module within its run: `to` is "up", "down", "end" or the id of the module that is to follow.

    Raises NotFound, NotAllowed, Conflict (that module is gone).
    """
    run = CourseRun.objects.select_for_update(of=("self",)).filter(modules=module_id).first()
    if run is None:
        raise NotFound
    _allow(run, actor)
    put(Module.objects.filter(run=run), module_id, to, actor)


@transaction.atomic
def move_lesson(*, lesson_id: int, to: str, actor: User | None) -> None:
    """Move a lesson within its module. As `move_module`."""
    module = lock_module_of(Module.objects.filter(lessons=lesson_id), actor)
    put(Lesson.objects.filter(module=module), lesson_id, to, actor)


@transaction.atomic
def delete_module(*, module_id: int, actor: User | None) -> None:
    """Delete a module with its lessons and labs. Raises NotFound, NotAllowed, Conflict (learners have used some)."""
    module = lock_module_of(Module.objects.filter(pk=module_id), actor)
    list(Lesson.objects.select_for_update().filter(module=module).order_by("pk"))
    delete_unused(module, module_parts(module, is_locked=True), actor)


@transaction.atomic
def delete_lesson(*, lesson_id: int, actor: User | None) -> None:
    """Delete a lesson. Raises NotFound, NotAllowed, Conflict (learners have marked it as done)."""
    lock_module_of(Module.objects.filter(lessons=lesson_id), actor)
    lesson = Lesson.objects.select_for_update().get(pk=lesson_id)
    delete_unused(lesson, lesson_parts(Lesson.objects.filter(pk=lesson_id)), actor)


def module_parts(module: Module, *, is_locked: bool = False) -> list[Part]:
    """Return the lessons and labs of a module, with who used them."""
    lessons = lesson_parts(Lesson.objects.filter(module=module))
    return [*lessons, *(part for provider in _more_parts for part in provider(module.pk, is_locked))]


def lesson_parts(lessons: QuerySet[Lesson]) -> list[Part]:
    """Return lessons with who marked them as done. One query."""
    rows = lessons.order_by("position").annotate(done=Count("completions")).values_list("title", "done")
    words = ("%(n)d learner has marked it as done", "%(n)d learners have marked it as done")
    return [Part(title, ngettext(*words, done) % {"n": done} if done else "") for title, done in rows]


def put(siblings: QuerySet[Any], pk: int, to: str, actor: User | None) -> None:
    """Move one of `siblings`, whose parent is locked; they get the positions 1, 2, 3… in order.

    Raises NotFound, Conflict.
    """
    before = list(siblings.order_by("position").values_list("pk", flat=True))
    if pk not in before:
        raise NotFound
    try:
        after = moved(before, pk, to)
    except NoSuchPlace:
        words = _("The order was changed by somebody else meanwhile. Look at it again, then move this once more.")
        raise Conflict(words, code="order_changed") from None
    if after == before:
        return
    _number(siblings, after)
    place = (before.index(pk) + 1, after.index(pk) + 1)
    target = siblings.get(pk=pk)
    audit.record(actor=actor, verb=f"{target._meta.model_name}.moved", target=target, changes={"position": place})


def delete_unused(target: Model, parts: Sequence[Part], actor: User | None) -> None:
    """Delete `target`, which is locked with its `parts`. Raises Conflict that names who used which part."""
    refusal = why_not(target, parts)
    if refusal:
        raise Conflict(refusal, code="in_use")
    audit.record(actor=actor, verb=f"{target._meta.model_name}.deleted", target=target)
    try:
        target.delete()
    except ProtectedError as error:
        names = ", ".join(sorted(f"“{one}”" for one in error.protected_objects)[:5])
        words = _("“%(title)s” cannot be deleted, for others need it: %(names)s. Hide it instead.")
        raise Conflict(words % {"title": target, "names": names}, code="in_use") from error


def why_not(target: object, parts: Sequence[Part]) -> str:
    """Say who has used which part of `target`, so that it cannot be deleted; empty where it can."""
    said = "; ".join(f"“{part.title}”: {part.use}" for part in parts if part.use)
    words = _("“%(title)s” cannot be deleted, for learners have used it (%(said)s). Hide it instead.")
    return words % {"title": target, "said": said} if said else ""


def lock_module_of(modules: QuerySet[Module], actor: User | None) -> Module:
    """Lock the only one of `modules`, and check that `actor` may change it. Raises NotFound, NotAllowed."""
    module = modules.select_for_update(of=("self",)).select_related("run").first()
    if module is None:
        raise NotFound
    _allow(module.run, actor)
    return module


def _number(siblings: QuerySet[Any], ids: Sequence[int]) -> None:
    """Number rows 1, 2, 3… A position is unique at every moment, so all first go beyond the last that is taken."""
    last = siblings.aggregate(last=Max("position"))["last"]
    for first in (last + 1, 1):
        places = [When(pk=pk, then=first + index) for index, pk in enumerate(ids)]
        siblings.update(position=Case(*places))


def _allow(run: CourseRun, actor: User | None) -> None:
    if actor is not None:
        get_editable_run(actor, run)
