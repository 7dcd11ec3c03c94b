"""A course's outline with its labs, as one reader sees it: registered with the catalogue, which draws it."""

from django.utils import timezone

from courses.catalog.api import RunAccess
from courses.content.api import OutlineModule, outline

from .selectors import group_by_module, labs_of


def course_outline(access: RunAccess) -> list[OutlineModule]:
    """Return modules with lessons and labs, with the reader's progress. Five queries at most."""
    labs = group_by_module(labs_of(access, timezone.now()))
    modules = outline(access)
    for part in modules:
        part.labs = list(labs.get(part.module.pk, []))
    return modules
