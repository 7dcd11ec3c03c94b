"""Reading modules and lessons: a run's outline, a lesson's neighbours, what a learner has finished."""

from dataclasses import dataclass, field

from campus.core.compiled import AnyOf, Compiled, Given
from courses.catalog.api import RunAccess

from .domain.release import Lock
from .models import Lesson, LessonCompletion, Module
from .release import lock_words, locked_modules, locks_for_learners, staff_words


@dataclass
class OutlineLesson:
    """A lesson in the outline; `is_done` is the reader's."""

    lesson: Lesson
    is_done: bool = False


@dataclass
class OutlineModule:
    """A module with its lessons; whoever lists labs and assignments adds them.

    `locks` is why it is closed to the reader, who then sees nothing of what lies in it; for staff, why it is closed
    to a learner who begins.
    """

    module: Module
    locks: tuple[Lock, ...] = ()
    is_closed: bool = False
    lessons: list[OutlineLesson] = field(default_factory=list)
    labs: list[object] = field(default_factory=list)
    assignments: list[object] = field(default_factory=list)
    materials: list[object] = field(default_factory=list)

    @property
    def lock_words(self) -> list[str]:
        """Why it is closed, as the reader should hear it: a learner what opens it, staff how it is for learners."""
        return lock_words(self.locks) if self.is_closed else staff_words(self.locks)


_MODULES = Compiled(
    lambda: Module.objects.filter(run_id=Given("run_id"), is_published=AnyOf("shown")).order_by("position")
)
_LESSONS = Compiled(
    lambda: (
        Lesson.objects.filter(module__run_id=Given("run_id"), is_published=AnyOf("shown"))
        .defer("body")
        .order_by("module_id", "position")
    )
)
_DONE = Compiled(lambda: LessonCompletion.objects.filter(enrolment_id=Given("enrolment_id")).values_list("lesson_id"))


def outline(access: RunAccess) -> list[OutlineModule]:
    """Return the run's modules with lessons, hidden ones for staff only. Four queries at most where none needs another.

    A module that is closed to the reader has no lessons here: what it holds is not told before it opens.
    """
    done = done_lessons(access)
    locks = locks_for_learners(access.run.pk) if access.is_staff else locked_modules(access)
    parts = {
        module.pk: OutlineModule(module, locks.get(module.pk, ()), not access.is_staff and module.pk in locks)
        for module in _MODULES.models(run_id=access.run.pk, shown=access.shown)
    }
    for lesson in _LESSONS.models(run_id=access.run.pk, shown=access.shown):
        if lesson.module_id in parts and not parts[lesson.module_id].is_closed:
            parts[lesson.module_id].lessons.append(OutlineLesson(lesson, lesson.pk in done))
    return list(parts.values())


def done_lessons(access: RunAccess) -> set[int]:
    """Return the ids of the lessons that the reader finished; no query for staff."""
    if access.enrolment is None:
        return set()
    return {lesson_id for (lesson_id,) in _DONE.rows(enrolment_id=access.enrolment.pk)}


def neighbours(parts: list[OutlineModule], lesson_id: int) -> tuple[Lesson | None, Lesson | None]:
    """Return the lessons before and after this one, across modules."""
    flat = [entry.lesson for part in parts for entry in part.lessons]
    index = next((i for i, lesson in enumerate(flat) if lesson.pk == lesson_id), None)
    if index is None:
        return None, None
    return (flat[index - 1] if index else None), (flat[index + 1] if index + 1 < len(flat) else None)
