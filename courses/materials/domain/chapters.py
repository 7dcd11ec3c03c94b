"""Chapters of a video as somebody types them: a line each, `mm:ss title` or `h:mm:ss title`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST = 100
MOST_TITLE = 120
_LINE = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)\s+(\S.*)")
_LENGTH = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)")


class BadChapters(ValueError):
    """Lines that are no chapters. `code` says why, `line` which one."""

    def __init__(self, code: str, line: int) -> None:
        super().__init__(f"{code} at line {line}")
        self.code = code
        self.line = line


@dataclass(frozen=True, slots=True)
class ChapterMark:
    """A chapter begins at `at_ms`."""

    at_ms: int
    title: str


def read(text: str) -> tuple[ChapterMark, ...]:
    """Read typed lines; empty ones are skipped. Raises BadChapters: times must grow."""
    found: list[ChapterMark] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = _LINE.fullmatch(line.strip())
        if parts is None or len(parts.group(4)) > MOST_TITLE:
            raise BadChapters("not_a_chapter", number)
        at_ms = _ms(parts.groups()[:3])
        if found and at_ms <= found[-1].at_ms:
            raise BadChapters("out_of_order", number)
        found.append(ChapterMark(at_ms, parts.group(4).strip()))
        if len(found) > MOST:
            raise BadChapters("too_many", number)
    return tuple(found)


def write(chapters: Sequence[ChapterMark]) -> str:
    """Write chapters as `read` reads them."""
    return "\n".join(f"{clock(one.at_ms)} {one.title}" for one in chapters)


def length_ms(text: str) -> int | None:
    """Read `mm:ss` or `h:mm:ss`; None for anything else and for nothing."""
    parts = _LENGTH.fullmatch(text.strip())
    return (_ms(parts.groups()) or None) if parts else None


def clock(ms: int) -> str:
    """Write a time of a video: 4:05, 1:02:05."""
    seconds = ms // 1000
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{seconds // 60}:{seconds % 60:02}"


def _ms(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000
