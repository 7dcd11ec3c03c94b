"""What the table of routes finds in lessons: a file, and a module that opens later with what lies in it."""

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from courses.assignments.api import open_lab
from courses.assignments.authoring import open_assignment
from courses.content.api import open_lesson, open_module
from courses.content.filing import add_file

from .world import MAIN, World


def lessons(world: World) -> dict[str, object]:
    """Return the ids. The file has the same name in both lessons."""
    closed = open_module(run_id=world.run.pk, title="다음 주", opens_at=timezone.now() + timedelta(days=7), actor=None)
    lesson = open_lesson(module_id=closed.pk, title="나중에", body="아직", actor=None)
    for one in (world.lesson, lesson):
        add_file(lesson_id=one.pk, upload=SimpleUploadedFile("plot.png", b"\x89PNG\r\n\x1a\n..."), actor=None)
    lab = open_lab(module_id=closed.pk, title="나중 실습", environment=world.environment, files=MAIN, actor=None)
    work = open_assignment(module_id=closed.pk, actor=None, title="나중 과제")
    return {
        "lesson_file": "plot.png",
        "closed_lesson": lesson.pk,
        "closed_lab": lab.pk,
        "closed_assignment": work.pk,
    }
