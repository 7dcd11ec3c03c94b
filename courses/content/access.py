"""Who may read and who may change a lesson."""

from campus.core.errors import NotAllowed, NotFound
from courses.catalog.api import RunAccess, get_editable_run, get_readable_run

from .models import Lesson, Module
from .release import require_released


def get_lesson_for(user: object, lesson_id: int) -> tuple[Lesson, RunAccess]:
    """Return a lesson for reading. Raises NotFound for strangers, and for learners while it is hidden.

    Raises Locked for learners until its module opens.
    """
    lesson = Lesson.objects.select_related("module__run__course", "module__run__term").filter(pk=lesson_id).first()
    if lesson is None:
        raise NotFound
    access = get_readable_run(user, lesson.module.run)
    require_readable(access, lesson)
    return lesson, access


def require_readable(access: RunAccess, lesson: Lesson) -> None:
    """Raise NotFound where the lesson is hidden from the reader, Locked until its module opens to them."""
    if not access.is_staff and not (lesson.is_published and lesson.module.is_published):
        raise NotFound
    require_released(access, lesson.module_id)


def get_lesson_to_edit(user: object, lesson_id: int) -> tuple[Lesson, RunAccess]:
    """Return a lesson for editing. Raises NotFound, NotAllowed."""
    lesson, access = get_lesson_for(user, lesson_id)
    if not access.may_edit:
        raise NotAllowed
    return lesson, access


def get_module_to_edit(user: object, module_id: int) -> tuple[Module, RunAccess]:
    """Return a module for editing. Raises NotFound, NotAllowed."""
    module = Module.objects.select_related("run__course", "run__term").filter(pk=module_id).first()
    if module is None:
        raise NotFound
    return module, get_editable_run(user, module.run)
