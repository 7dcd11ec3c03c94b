"""Times within a video, in whole milliseconds: read and written; and what is wrong with lines that should have some."""

import re
from collections.abc import Sequence

_LENGTH = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)")


class BadTimedText(ValueError):
    """Captions or chapters that we do not take. `code` says why, `line` where (0: the text as a whole)."""

    def __init__(self, code: str, line: int = 0) -> None:
        super().__init__(f"{code} at line {line}")
        self.code = code
        self.line = line


def length_ms(text: str) -> int | None:
    """Read `mm:ss` or `h:mm:ss`; None for anything else and for nothing."""
    parts = _LENGTH.fullmatch(text.strip())
    return (ms_of(parts.groups()) or None) if parts else None


def ms_of(parts: Sequence[str | None]) -> int:
    """Return hours, minutes, seconds and, if there, milliseconds as one number; what is missing is none."""
    hours, minutes, seconds, millis = (int(part or 0) for part in (*parts, None)[:4])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis


def clock(ms: int) -> str:
    """Write a time for people: 4:05, 1:02:05."""
    seconds = ms // 1000
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{seconds // 60}:{seconds % 60:02}"


def exact(ms: int) -> str:
    """Write a time as WebVTT has it: 01:02:05.250."""
    seconds, millis = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}"
