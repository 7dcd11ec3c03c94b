"""What changes a gradebook."""

from .cells import CellEdit, Outcome, Refused, Saved, set_cells, undo
from .columns import delete_category, delete_item, publish_item, save_category, save_item, set_scheme
from .finals import override_final, publish_finals, seen_of
from .regrades import answer_regrade, ask_regrade

__all__ = [
    "CellEdit",
    "Outcome",
    "Refused",
    "Saved",
    "answer_regrade",
    "ask_regrade",
    "delete_category",
    "delete_item",
    "override_final",
    "publish_finals",
    "publish_item",
    "save_category",
    "save_item",
    "seen_of",
    "set_cells",
    "set_scheme",
    "undo",
]
