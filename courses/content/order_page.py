"""What the page of a course's order shows: a row for each module, lesson, material and lab."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from .domain.order import DOWN, UP
from .selectors import OutlineModule

_ICONS = {"module": "folder", "lesson": "file-text", "lab": "flask-conical", "material": "paperclip"}
_APPS = {"module": "content", "lesson": "content", "lab": "assignments", "material": "materials"}


@dataclass
class Row:
    """One thing that can be moved and deleted; `focus` names the button that gets the focus, if any."""

    kind: str
    shown: Any
    is_first: bool
    is_last: bool
    focus: str = ""
    lists: list[list["Row"]] = field(default_factory=list)

    @property
    def icon(self) -> str:
        return _ICONS[self.kind]

    @property
    def move_url(self) -> str:
        return reverse(f"{_APPS[self.kind]}:move-{self.kind}", args=[self.shown.pk])

    @property
    def delete_url(self) -> str:
        return reverse(f"{_APPS[self.kind]}:delete-{self.kind}", args=[self.shown.pk])


def order_rows(parts: Sequence[OutlineModule], moved: str, by: str) -> list[Row]:
    """Return the modules' rows with the lists in them. The row `moved` ("lesson-12") keeps the focus where it can."""
    rows = _rows("module", [part.module for part in parts], moved, by)
    for row, part in zip(rows, parts, strict=True):
        lessons = [entry.lesson for entry in part.lessons]
        labs = [entry.lab for entry in part.labs]  # type: ignore[attr-defined]
        materials = [entry.material for entry in part.materials]  # type: ignore[attr-defined]
        row.lists = [
            _rows("lesson", lessons, moved, by), _rows("material", materials, moved, by), _rows("lab", labs, moved, by)
        ]  # fmt: skip
    return rows


def _rows(kind: str, things: Sequence[Any], moved: str, by: str) -> list[Row]:
    rows = []
    for index, thing in enumerate(things):
        row = Row(kind, thing, is_first=index == 0, is_last=index == len(things) - 1)
        if by in (UP, DOWN) and moved == f"{kind}-{thing.pk}":
            row.focus = DOWN if row.is_first else UP if row.is_last else by
        rows.append(row)
    return rows
