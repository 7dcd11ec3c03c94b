"""Chapters of a video: typed, a line each (`mm:ss title` or `h:mm:ss title`), or a WebVTT file of chapters (W3C)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from . import webvtt
from .times import BadTimedText, clock, ms_of

MOST = 100
MOST_TITLE = 120
_LINE = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)(?:\.(\d{3}))?\s+(\S.*)")

_Marked = tuple[int, "ChapterMark"]


@dataclass(frozen=True, slots=True)
class ChapterMark:
    """A chapter begins at `at_ms`."""

    at_ms: int
    title: str


def read(text: str) -> tuple[ChapterMark, ...]:
    """Read typed lines; empty ones are skipped. Raises BadTimedText: times must grow."""
    return _checked(_typed(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def read_file(content: bytes) -> tuple[ChapterMark, ...]:
    """Read a WebVTT file whose cues are chapters, one after another. Raises BadTimedText.

    A chapter lasts until the next begins, so ends are checked and not kept; chapters within chapters are refused.
    """
    cues = webvtt.read(content)
    for before, after in pairwise(cues):
        if after.start_ms < before.end_ms:
            raise BadTimedText("overlaps", after.line)
    return _checked((cue.line, ChapterMark(cue.start_ms, " ".join(cue.text.split()))) for cue in cues)


def write(chapters: Sequence[ChapterMark]) -> str:
    """Write chapters as `read` reads them, to the millisecond where a file was that exact."""
    return "\n".join(f"{clock(one.at_ms)}{_fraction(one.at_ms)} {one.title}" for one in chapters)


def _typed(number: int, line: str) -> _Marked:
    parts = _LINE.fullmatch(line.strip())
    if parts is None:
        raise BadTimedText("not_a_chapter", number)
    return number, ChapterMark(ms_of(parts.groups()[:4]), parts.group(5).strip())


def _checked(marked: Iterable[_Marked]) -> tuple[ChapterMark, ...]:
    found: list[ChapterMark] = []
    for line, mark in marked:
        if len(mark.title) > MOST_TITLE:
            raise BadTimedText("title_too_long", line)
        if found and mark.at_ms <= found[-1].at_ms:
            raise BadTimedText("out_of_order", line)
        found.append(mark)
        if len(found) > MOST:
            raise BadTimedText("too_many", line)
    return tuple(found)


def _fraction(ms: int) -> str:
    return f".{ms % 1000:03}" if ms % 1000 else ""
