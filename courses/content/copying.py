"""What a copied run takes over of its modules and lessons: what learners read, what opens it, pictures and files."""

from django.utils.translation import gettext_lazy as _

from campus.people.models import User
from courses.catalog.api import Copied, Copier, Line, Shift
from courses.catalog.models import CourseRun

from .models import Lesson, LessonFile, LessonVersion, Module, ModuleNeed


def lines(run: CourseRun, shift: Shift) -> list[Line]:
    """Return the modules and their lessons. Two queries."""
    lessons: dict[int, list[Line]] = {}
    for module_id, title in Lesson.objects.filter(module__run=run).values_list("module_id", "title"):
        lessons.setdefault(module_id, []).append(Line(title, indent=1))
    found = []
    for module in Module.objects.filter(run=run).order_by("position"):
        dates = (
            (_("Starts on"), module.starts_on, shift.day(module.starts_on)),
            (_("It opens"), module.opens_at, shift.time(module.opens_at)),
        )
        found += [Line(module.title, tuple(one for one in dates if one[1])), *lessons.get(module.pk, [])]
    return found


def copy(source: CourseRun, target: CourseRun, shift: Shift, copied: Copied, actor: User | None) -> None:
    """Copy modules with what opens them, and lessons with their files. Eight queries, however many."""
    modules = list(Module.objects.filter(run=source).order_by("position"))
    made = Module.objects.bulk_create(
        Module(
            run=target, position=one.position, title=one.title, is_published=one.is_published,
            starts_on=shift.day(one.starts_on), opens_at=shift.time(one.opens_at),
        )
        for one in modules
    )  # fmt: skip
    ids = {old.pk: new.pk for old, new in zip(modules, made, strict=True)}
    copied.keep("module", ids)
    needs = ModuleNeed.objects.filter(module__run=source).values_list("module_id", "needs_id")
    ModuleNeed.objects.bulk_create(ModuleNeed(module_id=ids[one], needs_id=ids[other]) for one, other in needs)
    _copy_lessons(source, ids, copied, actor)


def _copy_lessons(source: CourseRun, modules: dict[int, int], copied: Copied, actor: User | None) -> None:
    lessons = list(Lesson.objects.filter(module__run=source).order_by("module_id", "position"))
    made = Lesson.objects.bulk_create(
        Lesson(
            module_id=modules[one.module_id], position=one.position, title=one.title, body=one.body,
            minutes=one.minutes, is_published=one.is_published,
        )
        for one in lessons
    )  # fmt: skip
    ids = {old.pk: new.pk for old, new in zip(lessons, made, strict=True)}
    copied.keep("lesson", ids)
    LessonVersion.objects.bulk_create(
        LessonVersion(lesson_id=ids[one.pk], number=1, title=one.title, body=one.body, author=actor) for one in lessons
    )
    # The bytes are kept once: nobody ever changes or deletes them.
    LessonFile.objects.bulk_create(
        LessonFile(
            lesson_id=ids[one.lesson_id], name=one.name, file=one.file.name, size_bytes=one.size_bytes,
            digest=one.digest, media_type=one.media_type, author=one.author,
        )
        for one in LessonFile.objects.filter(lesson__module__run=source).select_related("author")
    )  # fmt: skip


COPIER = Copier("content", _("Modules and lessons"), lines, copy, order=10)
