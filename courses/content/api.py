"""What other apps may use of content, besides the models."""

from .access import get_module_to_edit
from .arranging import Part, delete_unused, lock_module_of, put, register_module_parts
from .arranging_views import back_to_order, removal_page
from .domain.markdown import render
from .selectors import OutlineLesson, OutlineModule, neighbours, outline
from .services import complete_lesson, open_lesson, open_module

__all__ = [
    "OutlineLesson",
    "OutlineModule",
    "Part",
    "back_to_order",
    "complete_lesson",
    "delete_unused",
    "get_module_to_edit",
    "lock_module_of",
    "neighbours",
    "open_lesson",
    "open_module",
    "outline",
    "put",
    "register_module_parts",
    "removal_page",
    "render",
]
