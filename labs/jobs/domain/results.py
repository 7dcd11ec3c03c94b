"""What a job says in numbers: `metrics.json` made flat for comparison, and points of live metrics made safe."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

MAX_ENTRIES = 64
MAX_NAME = 64
MAX_TEXT = 200
MAX_DEPTH = 3
MAX_BYTES = 64 * 1024
MAX_POINT_VALUES = 32

Value = float | int | str | bool


def flat_result(content: bytes) -> dict[str, Value]:
    """Read metrics.json: nested names are joined by dots; finite numbers, booleans and short texts are kept.

    What is no JSON object, or too large, gives nothing: a job never fails for its report.
    """
    if len(content) > MAX_BYTES:
        return {}
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    kept: dict[str, Value] = {}
    if isinstance(found, dict):
        _flatten(found, "", 1, kept)
    return kept


def _flatten(found: Mapping[str, Any], prefix: str, depth: int, kept: dict[str, Value]) -> None:
    for name, value in found.items():
        full = f"{prefix}{name}"
        if len(kept) >= MAX_ENTRIES or not is_name(full):
            continue
        if isinstance(value, dict) and depth < MAX_DEPTH:
            _flatten(value, f"{full}.", depth + 1, kept)
        elif isinstance(value, str):
            if is_storable(value):
                kept[full] = value[:MAX_TEXT]
        elif isinstance(value, bool) or is_number(value):
            kept[full] = value


def headlines(result: Mapping[str, Value], most: int) -> list[tuple[str, Value]]:
    """The values that people look for first: scores, then losses, then other numbers, then the rest.

    The order in which the job wrote them is lost in storage, so that names decide.
    """

    def rank(entry: tuple[str, Value]) -> tuple[int, str]:
        words = set(re.split(r"[^a-z0-9]+", entry[0].lower()))
        known = next((place for place, names in enumerate(_LOOKED_FOR) if words & names), len(_LOOKED_FOR))
        return known + (0 if is_number(entry[1]) else len(_LOOKED_FOR) + 1), entry[0]

    return sorted(result.items(), key=rank)[:most]


_LOOKED_FOR = (
    frozenset({"accuracy", "acc", "f1", "auc", "score", "precision", "recall", "map", "iou", "bleu", "reward"}),
    frozenset({"loss", "error", "rmse", "mae", "mse", "perplexity"}),
)


def clean_point(values: Mapping[str, Any]) -> dict[str, float]:
    """Keep the finite numbers of a metric point, at most MAX_POINT_VALUES of them."""
    kept: dict[str, float] = {}
    for name, value in values.items():
        if len(kept) < MAX_POINT_VALUES and isinstance(name, str) and is_name(name) and is_number(value):
            kept[name] = float(value)
    return kept


def is_number(value: Any) -> bool:
    """Say whether it is a finite number that JSON and a double can hold; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def is_name(name: str) -> bool:
    """Say whether it may name a metric: printable, and short."""
    return 0 < len(name) <= MAX_NAME and name.isprintable()


def is_storable(text: str) -> bool:
    """Say whether PostgreSQL takes it: no NUL, no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
