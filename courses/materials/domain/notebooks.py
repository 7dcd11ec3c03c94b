"""A notebook (nbformat 4) as plain values. What it carries is never run: HTML, SVG and scripts become notes."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .files import picture_type

MAX_BYTES = 10 * 1024 * 1024
MOST_CELLS = 1_000
MOST_OUTPUTS = 50
MOST_TEXT = 50_000
MAX_PICTURE = 2 * 1024 * 1024
MAX_PICTURES = 4 * 1024 * 1024
_DEEPEST = 40


class BadNotebook(ValueError):
    """These bytes are no notebook that we take. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Output:
    """`kind` is text, error, picture (`text` is a data address) or dropped (`text` names the types)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """`kind` is markdown, code or raw; `count` is what stood in the brackets."""

    kind: str
    source: str
    count: int | None = None
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """The cells, and the language that code is coloured in."""

    language: str
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """What can be searched: the cells' own words, no outputs."""
        return "\n\n".join(cell.source for cell in self.cells if cell.kind != "raw")


@dataclass
class _Budget:
    pictures: int = field(default=MAX_PICTURES)


def read(content: bytes) -> Notebook:
    """Read a notebook. Raises BadNotebook."""
    if len(content) > MAX_BYTES:
        raise BadNotebook("too_large")
    try:
        said = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadNotebook("not_json") from None
    if not isinstance(said, dict) or said.get("nbformat") != 4:
        raise BadNotebook("not_a_notebook")
    cells = said.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise BadNotebook("not_a_notebook")
    if len(cells) > MOST_CELLS:
        raise BadNotebook("too_many_cells")
    if _is_deep(said):
        raise BadNotebook("too_deep")
    budget = _Budget()
    return Notebook(_language(said), tuple(_cell(cell, budget) for cell in cells))


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_deep(said: object) -> bool:
    level: list[object] = [said]
    for _depth in range(_DEEPEST):
        level = [
            one
            for parent in level
            for one in (parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ())
            if isinstance(one, dict | list)
        ]
        if not level:
            return False
    return True


def _language(said: Mapping[str, Any]) -> str:
    metadata = said.get("metadata")
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    name = info.get("name") if isinstance(info, dict) else None
    return name.lower() if isinstance(name, str) and name.isalnum() and len(name) <= 20 else "python"


def _cell(cell: Mapping[str, Any], budget: _Budget) -> Cell:
    kind = cell.get("cell_type")
    if kind not in ("markdown", "code", "raw"):
        raise BadNotebook("not_a_notebook")
    source = _text(cell.get("source"))
    if kind != "code":
        return Cell(str(kind), source)
    outputs, count = cell.get("outputs", []), cell.get("execution_count")
    if not isinstance(outputs, list) or not all(isinstance(one, dict) for one in outputs):
        raise BadNotebook("not_a_notebook")
    shown = tuple(_output(one, budget) for one in outputs[:MOST_OUTPUTS])
    return Cell(
        "code",
        source,
        count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**6 else None,
        tuple(one for one in shown if one.text),
    )


def _output(output: Mapping[str, Any], budget: _Budget) -> Output:
    kind = output.get("output_type")
    if kind == "stream":
        return Output("text", _text(output.get("text")))
    if kind == "error":
        return Output("error", f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}")
    data = output.get("data")
    if not isinstance(data, dict):
        return Output("text", "")
    for media_type in ("image/png", "image/jpeg"):
        if media_type in data:
            return _picture(data[media_type], media_type, budget)
    if "text/plain" in data:
        return Output("text", _text(data["text/plain"]))
    return Output("dropped", ", ".join(sorted(str(one)[:60] for one in data))[:200])


def _picture(said: object, media_type: str, budget: _Budget) -> Output:
    """A picture is what its bytes are, whatever it is called."""
    packed = "".join(_parts(said)).replace("\n", "").replace("\r", "")
    dropped = Output("dropped", media_type)
    if len(packed) > MAX_PICTURE * 4 // 3 + 4:
        return dropped
    try:
        content = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return dropped
    found = picture_type(content[:16])
    if not found or len(content) > budget.pictures:
        return dropped
    budget.pictures -= len(content)
    return Output("picture", f"data:{found};base64,{base64.b64encode(content).decode()}")


def _text(said: object) -> str:
    text = "".join(_parts(said)).replace("\0", "")[:MOST_TEXT]
    return text.encode("utf-8", "replace").decode()  # JSON may hold halves of characters


def _parts(said: object) -> list[str]:
    if isinstance(said, str):
        return [said]
    return [part for part in said if isinstance(part, str)] if isinstance(said, list) else []
