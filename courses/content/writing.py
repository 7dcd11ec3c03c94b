"""Writing lessons: every save is a version, a draft waits until it is shown, and nobody's words vanish unseen."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from campus.core import audit, formats
from campus.core.clock import database_now
from campus.core.errors import Conflict, NotFound
from campus.people.models import User
from courses.catalog.api import clean, save_changes, save_new

from .models import Lesson, LessonVersion, Module
from .services import editable

_TEXT = ("title", "body")


@transaction.atomic
def open_lesson(*, module_id: int, actor: User | None, **fields: Any) -> Lesson:
    """Add a lesson at the end of a module (title, body, minutes, is_published). Raises as `open_module`."""
    module = Module.objects.select_for_update(of=("self",)).select_related("run").filter(pk=module_id).first()
    if module is None:
        raise NotFound
    editable(module.run, actor)
    last = Lesson.objects.filter(module=module).aggregate(last=Max("position"))["last"] or 0
    lesson = Lesson(module=module, position=last + 1, **fields)
    save_new(lesson, actor=actor)
    LessonVersion.objects.create(lesson=lesson, number=1, title=lesson.title, body=lesson.body, author=actor)
    return lesson


@transaction.atomic
def change_lesson(
    *,
    lesson_id: int,
    fields: Mapping[str, Any],
    actor: User | None,
    seen: int | None = None,
    is_draft: bool = False,
    restored_from: int | None = None,
) -> Lesson:
    """Save title and text as the next version, and minutes or visibility as they are. Raises as `change_module`.

    Learners read the new version at once, or with `is_draft` go on reading the one before. `seen` is the number of
    the version that was changed: where it is no longer the newest, nothing is saved and Conflict is raised
    (changed_meanwhile, facts: version).
    """
    lesson = lock_lesson(lesson_id, actor)
    newest = newest_version(lesson)
    if seen is not None and seen != lesson.version:
        raise _changed_meanwhile(newest)
    text = {name: fields.get(name, getattr(newest, name)) for name in _TEXT}
    others = {name: value for name, value in fields.items() if name not in _TEXT}
    version = lesson.version
    if any(text[name] != getattr(newest, name) for name in _TEXT) or restored_from is not None:
        version += 1
        _check(lesson, text)
        if newest.pk is None:  # a lesson that was saved before versions were kept
            newest.save()
        LessonVersion.objects.create(lesson=lesson, number=version, author=actor, restored_from=restored_from, **text)
        others |= {"version": version, "changed_at": database_now()}
    if not is_draft:
        others |= {**text, "shown_version": version}
    save_changes(lesson, others, actor=actor)
    return lesson


@transaction.atomic
def show_version(*, lesson_id: int, number: int, actor: User | None) -> Lesson:
    """Let learners read the draft `number`, the newest version. Raises NotFound, NotAllowed, Conflict (not newest)."""
    lesson = lock_lesson(lesson_id, actor)
    newest = newest_version(lesson)
    if number != newest.number:
        raise _changed_meanwhile(newest)
    fields = {"title": newest.title, "body": newest.body, "shown_version": newest.number}
    save_changes(lesson, fields, actor=actor)
    return lesson


@transaction.atomic
def restore_version(*, lesson_id: int, number: int, actor: User | None) -> Lesson:
    """Save an older version's text as the newest, which learners read at once. Raises NotFound, NotAllowed."""
    lesson = lock_lesson(lesson_id, actor)
    old = get_version(lesson, number)
    fields = {name: getattr(old, name) for name in _TEXT}
    audit.record(actor=actor, verb="lesson.restored", target=lesson, changes={"version": (lesson.version, number)})
    return change_lesson(lesson_id=lesson_id, fields=fields, actor=actor, restored_from=number)


def lock_lesson(lesson_id: int, actor: User | None) -> Lesson:
    """Lock a lesson that `actor` may change. Raises NotFound, NotAllowed."""
    lesson = Lesson.objects.select_for_update(of=("self",)).select_related("module__run").filter(pk=lesson_id).first()
    if lesson is None:
        raise NotFound
    editable(lesson.module.run, actor)
    return lesson


def newest_version(lesson: Lesson) -> LessonVersion:
    """Return what was saved last, draft or not; of a lesson without versions its text, unsaved. One query."""
    found = lesson.versions.select_related("author").filter(number=lesson.version).first()
    return found or LessonVersion(
        lesson=lesson, number=lesson.version, title=lesson.title, body=lesson.body, at=lesson.changed_at
    )


def get_version(lesson: Lesson, number: int) -> LessonVersion:
    """Return a version by its number. Raises NotFound."""
    if number == lesson.version:
        return newest_version(lesson)
    found = lesson.versions.select_related("author").filter(number=number).first() if number < 2**31 else None
    if found is None:
        raise NotFound
    return found


def _check(lesson: Lesson, text: Mapping[str, str]) -> None:
    """A draft is held to the same rules as what is shown."""
    clean(Lesson(module=lesson.module, position=lesson.position, **text), exclude=("position", "module"))


def _changed_meanwhile(newest: LessonVersion) -> Conflict:
    words = _(
        "%(who)s saved this lesson on %(when)s, after you began. Your text is below, and beside it how it differs from "
        "theirs. Saving again puts yours in its place; theirs stays among the versions."
    )
    who = newest.author.name if newest.author else _("Somebody else")
    said = words % {"who": who, "when": formats.campus_time(newest.at)}
    return Conflict(said, code="changed_meanwhile", facts={"version": newest.number})
