"""Reading a notebook of nobody's trust: cells as plain values, never HTML, scripts or widgets of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_CELLS = 2_000
MOST_OUTPUT = 20_000


class BadNotebook(ValueError):
    """These bytes are no notebook of format 4."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`kind` is markdown, code or raw; `outputs` are texts, of pictures and the like only that there was one."""

    kind: str
    source: str
    outputs: tuple[str, ...] = ()


def cells_of(body: bytes) -> tuple[Cell, ...]:
    """Read a notebook. Raises BadNotebook."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadNotebook from error
    if not isinstance(said, Mapping) or said.get("nbformat") != 4 or not isinstance(said.get("cells"), list):
        raise BadNotebook
    cells = said["cells"]
    if len(cells) > MOST_CELLS or not all(isinstance(cell, Mapping) for cell in cells):
        raise BadNotebook
    return tuple(_cell(cell) for cell in cells)


def _cell(cell: Mapping[str, Any]) -> Cell:
    kind = cell.get("cell_type")
    outputs = cell.get("outputs")
    texts = [_output(one) for one in outputs if isinstance(one, Mapping)] if isinstance(outputs, list) else []
    return Cell(
        kind if kind in ("markdown", "code", "raw") else "raw",
        _text(cell.get("source")),
        tuple(text[:MOST_OUTPUT] for text in texts if text),
    )


def _output(output: Mapping[str, Any]) -> str:
    if output.get("output_type") == "stream":
        return _text(output.get("text"))
    if output.get("output_type") == "error":
        return f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
    data = output.get("data")
    if not isinstance(data, Mapping):
        return ""
    if "text/plain" in data:
        return _text(data["text/plain"])
    return "[" + ", ".join(sorted(str(kind)[:60] for kind in data)) + "]" if data else ""


def _text(said: object) -> str:
    parts: Sequence[object] = said if isinstance(said, list) else [said]
    return "".join(part for part in parts if isinstance(part, str)).replace("\0", "")
