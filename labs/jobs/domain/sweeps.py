"""A sweep's grid: which names and values it may have, the runs it makes, and how each run is told its values."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

Value = bool | int | float | str
Point = dict[str, Value]

MAX_NAMES = 8
MAX_VALUES = 256
MAX_NAME = 40
MAX_TEXT = 100
MAX_WHOLE = 2**53  # beyond it JSON readers disagree
ENV_PREFIX = "PARAM_"
PARAMS_FILE = "params.json"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_RANGE = re.compile(r"(-?[0-9]{1,9})\.\.(-?[0-9]{1,9})", re.ASCII)
_WORDS: Mapping[str, bool] = {"true": True, "false": False}


class BadSweep(ValueError):
    """A grid is refused. `code` says why, `name` which parameter; the words are in `refusals`."""

    def __init__(self, code: str, name: str = "", **facts: int | str) -> None:
        super().__init__(f"{code}: {name!r}")
        self.code, self.name, self.facts = code, name, facts


def parse_values(text: str) -> list[Value]:
    """Read what a person types: values between commas or lines, `1..5` for whole numbers from 1 to 5.

    What looks like a number is one, true and false are booleans, anything else is a text; quotes make a text of a
    number. Raises BadSweep (too_many_values, empty_value).
    """
    found: list[Value] = []
    for part in re.split(r"[,\n]", text.strip().strip(",")):
        word = part.strip()
        if not word:
            raise BadSweep("empty_value")
        span = _RANGE.fullmatch(word)
        if span:
            first, last = int(span[1]), int(span[2])
            step = 1 if last >= first else -1
            if abs(last - first) >= MAX_VALUES:
                raise BadSweep("too_many_values", most=MAX_VALUES)
            found += range(first, last + step, step)
        else:
            found.append(_value(word))
    return found


def _value(word: str) -> Value:
    if len(word) >= 2 and word[0] == word[-1] and word[0] in "\"'":
        return word[1:-1]
    if word in _WORDS:
        return _WORDS[word]
    if _WHOLE.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word) and math.isfinite(float(word)):
        return float(word)
    return word


def written(values: Iterable[Value]) -> str:
    """The inverse of `parse_values`, for a form that shows a grid again."""
    return ", ".join(_written(value) for value in values)


def _written(value: Value) -> str:
    text = as_text(value)
    return f'"{text}"' if isinstance(value, str) and (_value(text) != text or _RANGE.fullmatch(text)) else text


def count(grid: Mapping[str, Sequence[Any]]) -> int:
    """How many runs the grid makes, without making them."""
    return math.prod(len(values) for values in grid.values()) if grid else 0


def expand(grid: Mapping[str, Sequence[Value]], *, most: int) -> list[Point]:
    """Every combination of the grid's values; the last name changes fastest.

    Raises BadSweep: no_parameters, too_many_names, bad_name, doubled_name, no_values, too_many_values, bad_value,
    doubled_value, too_many_runs.
    """
    check_names(grid)
    for name, values in grid.items():
        if not values:
            raise BadSweep("no_values", name)
        if len(values) > MAX_VALUES:
            raise BadSweep("too_many_values", name, most=MAX_VALUES)
        seen: set[str] = set()
        for value in values:
            check_value(name, value)
            if (key := _key(value)) in seen:
                raise BadSweep("doubled_value", name, value=as_text(value))
            seen.add(key)
    if count(grid) > most:
        raise BadSweep("too_many_runs", given=count(grid), most=most)
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def check_points(points: Sequence[Mapping[str, Value]], *, most: int) -> list[Point]:
    """An explicit list of runs instead of a grid: each names the same parameters, none is there twice.

    Raises BadSweep: those of `expand`, other_names, doubled_point.
    """
    if len(points) > most:
        raise BadSweep("too_many_runs", given=len(points), most=most)
    names = list(points[0]) if points else []
    check_names(names)
    seen: set[tuple[str, ...]] = set()
    for place, point in enumerate(points, start=1):
        if set(point) != set(names):
            raise BadSweep("other_names", place=place, names=", ".join(names))
        for name in names:
            check_value(name, point[name])
        key = tuple(_key(point[name]) for name in names)
        if key in seen:
            raise BadSweep("doubled_point", place=place)
        seen.add(key)
    return [{name: point[name] for name in names} for point in points]


def check_names(names: Iterable[str]) -> None:
    """Raises BadSweep. Two names that differ by capitals alone would be one environment variable."""
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > MAX_NAME:
            raise BadSweep("bad_name", str(name)[:MAX_NAME], most=MAX_NAME)
        if name.upper() in seen:
            raise BadSweep("doubled_name", name)
        seen.add(name.upper())
    if not seen:
        raise BadSweep("no_parameters")
    if len(seen) > MAX_NAMES:
        raise BadSweep("too_many_names", most=MAX_NAMES)


def check_value(name: str, value: Any) -> None:
    """Raises BadSweep unless it is a boolean, a finite number, or a short printable text."""
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        is_good = abs(value) <= MAX_WHOLE
    elif isinstance(value, float):
        is_good = math.isfinite(value)
    else:
        is_good = isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()
    if not is_good:
        raise BadSweep("bad_value", name, most=MAX_TEXT)


def _key(value: Value) -> str:
    """Values that a program cannot tell apart have one key: 1 and 1.0 are written alike."""
    return json.dumps(float(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def as_text(value: Value) -> str:
    """A value as an environment variable and as people read it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def variables_of(point: Mapping[str, Value]) -> dict[str, str]:
    """The environment variables of a run: `PARAM_` and the name in capitals. The prefix keeps PATH and its like out."""
    return {f"{ENV_PREFIX}{name.upper()}": as_text(value) for name, value in point.items()}


def params_file(own: bytes | None, point: Mapping[str, Value]) -> str:
    """The text of `params.json` for a run: the values over those of the learner's own file, if that is an object."""
    try:
        defaults = json.loads(own) if own is not None else {}
    except (ValueError, RecursionError):
        defaults = {}
    merged = {**(defaults if isinstance(defaults, dict) else {}), **point}
    return json.dumps(merged, ensure_ascii=False, indent=2) + "\n"


def best_of(results: Mapping[int, Any], *, is_higher_better: bool) -> int | None:
    """The key of the best finite number; the first of equal ones; None where there is none."""
    scored = {key: value for key, value in results.items() if _is_score(value)}
    if not scored:
        return None
    return min(scored, key=lambda key: (-scored[key] if is_higher_better else scored[key], key))


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
