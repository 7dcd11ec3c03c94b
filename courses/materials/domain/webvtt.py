"""Captions as WebVTT (W3C): read strictly, kept as plain text, written anew. Nothing of the uploaded file is served.

Tags, voices and positions are dropped; styles, regions and scripts never pass.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

MAX_BYTES = 512 * 1024
MOST_CUES = 5_000
MOST_TEXT = 500
_TIME = r"(?:(\d{2,3}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t]+[^\n]*)?")
_TAG = re.compile(r"<[^<>]{0,200}>")


class BadCaptions(ValueError):
    """These bytes are no captions that we take. `code` says why, `line` where (0: the file as a whole)."""

    def __init__(self, code: str, line: int = 0) -> None:
        super().__init__(f"{code} at line {line}")
        self.code = code
        self.line = line


@dataclass(frozen=True, slots=True)
class Cue:
    """Words from `start_ms` up to `end_ms`; plain text, lines parted by a newline."""

    start_ms: int
    end_ms: int
    text: str


def read(content: bytes) -> tuple[Cue, ...]:
    """Read a WebVTT file. Raises BadCaptions."""
    if len(content) > MAX_BYTES:
        raise BadCaptions("too_large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadCaptions("not_utf8") from None
    if "\0" in text:
        raise BadCaptions("not_utf8")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        raise BadCaptions("no_header", 1)
    return _in_order(_cues(lines))


def write(cues: Iterable[Cue]) -> str:
    """Write cues as WebVTT; what they say is escaped, so that none of it is markup or a new cue."""
    parts = [f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{html.escape(cue.text, quote=False)}\n" for cue in cues]
    return "WEBVTT\n\n" + "\n".join(parts)


def transcript(cues: Iterable[Cue]) -> str:
    """Return what is said, a line a cue: for search."""
    return "\n".join(" ".join(cue.text.split()) for cue in cues)


def _cues(lines: Sequence[str]) -> list[Cue]:
    cues: list[Cue] = []
    place = 1
    while place < len(lines) and lines[place]:  # the header's own lines
        place += 1
    while place < len(lines):
        block_at = place
        block = []
        while place < len(lines) and lines[place]:
            block.append(lines[place])
            place += 1
        place += 1
        if not block or (block[0].startswith(("NOTE", "STYLE", "REGION")) and "-->" not in block[0]):
            continue
        cues.append(_cue(block, block_at + 1))
        if len(cues) > MOST_CUES:
            raise BadCaptions("too_many", block_at + 1)
    return cues


def _cue(block: Sequence[str], line: int) -> Cue:
    if "-->" not in block[0]:  # an identifier
        block, line = block[1:], line + 1
    found = _TIMING.fullmatch(block[0].strip()) if block else None
    if found is None:
        raise BadCaptions("no_timing", line)
    start, end = _ms(found.groups()[:4]), _ms(found.groups()[4:])
    if end <= start:
        raise BadCaptions("ends_before_it_starts", line)
    text = html.unescape(_TAG.sub("", "\n".join(block[1:])))
    text = "\n".join(" ".join(one.split()) for one in text.split("\n") if one.strip()).replace("\0", "")
    if not text:
        raise BadCaptions("no_words", line)
    if len(text) > MOST_TEXT or "-->" in text:
        raise BadCaptions("too_long" if len(text) > MOST_TEXT else "no_timing", line)
    return Cue(start, end, text)


def _in_order(cues: list[Cue]) -> tuple[Cue, ...]:
    if not cues:
        raise BadCaptions("empty")
    if any(after.start_ms < before.start_ms for before, after in pairwise(cues)):
        raise BadCaptions("out_of_order")
    return tuple(cues)


def _ms(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, millis = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis


def _clock(ms: int) -> str:
    seconds, millis = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}"
