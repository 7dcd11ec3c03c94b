"""What other apps may use of content, besides the models."""

from .access import get_module_to_edit
from .domain.markdown import render
from .selectors import OutlineLesson, OutlineModule, neighbours, outline
from .services import complete_lesson, open_lesson, open_module

__all__ = [
    "OutlineLesson",
    "OutlineModule",
    "complete_lesson",
    "get_module_to_edit",
    "neighbours",
    "open_lesson",
    "open_module",
    "outline",
    "render",
]
