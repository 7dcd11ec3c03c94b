"""What other apps may use of content, besides the models."""

from .access import get_module_to_edit
from .arranging import Part, delete_unused, lock_module_of, put, register_module_parts
from .arranging_views import back_to_order, removal_page
from .domain.markdown import render
from .release import (
    READING,
    Locked,
    PartsDone,
    counted,
    is_released,
    lock_words,
    locked_for,
    locked_modules,
    register_parts,
    released_modules,
    released_of,
    require_released,
)
from .selectors import OutlineLesson, OutlineModule, neighbours, outline
from .services import complete_lesson, open_module
from .writing import open_lesson

__all__ = [
    "READING",
    "Locked",
    "OutlineLesson",
    "OutlineModule",
    "Part",
    "PartsDone",
    "back_to_order",
    "complete_lesson",
    "counted",
    "delete_unused",
    "get_module_to_edit",
    "is_released",
    "lock_module_of",
    "lock_words",
    "locked_for",
    "locked_modules",
    "neighbours",
    "open_lesson",
    "open_module",
    "outline",
    "put",
    "register_module_parts",
    "register_parts",
    "released_modules",
    "released_of",
    "removal_page",
    "render",
    "require_released",
]
