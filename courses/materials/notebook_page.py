"""A stored notebook as safe HTML: words through the lessons' Markdown, code coloured as there, outputs as they are."""

import re
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from courses.content.api import render

from .domain import notebooks
from .models import MaterialVersion

_TICKS = re.compile("`{3,}")


@dataclass(frozen=True)
class ShownCell:
    """A cell with its HTML (empty for raw cells) and its outputs."""

    cell: notebooks.Cell
    html: SafeString


def cells_of(version: MaterialVersion) -> list[ShownCell]:
    """Return a version's cells; none where the file is gone or is no notebook any more."""
    try:
        with version.file.open("rb") as opened:
            found = notebooks.read(opened.read(notebooks.MAX_BYTES + 1))
    except (OSError, notebooks.BadNotebook):
        return []
    return [ShownCell(cell, _html(cell, found.language)) for cell in found.cells]


def _html(cell: notebooks.Cell, language: str) -> SafeString:
    if cell.kind == "raw":
        return mark_safe("")
    text = cell.source if cell.kind == "markdown" else _fenced(cell.source, language)
    return mark_safe(render(text))  # noqa: S308 - sanitised by an allow-list


def _fenced(code: str, language: str) -> str:
    """Code between ticks, more of them than the code has, so that no line of it ends the block."""
    ticks = "`" * (1 + max([2, *(len(run) for run in _TICKS.findall(code))]))
    return f"{ticks}{language}\n{code}\n{ticks}"
