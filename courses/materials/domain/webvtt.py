"""WebVTT (W3C) of captions and chapters: read strictly, kept as plain text, written anew; the upload is never served.

Tags, voices and positions are dropped; styles, regions and scripts never pass.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .times import BadTimedText, exact, ms_of

MAX_BYTES = 512 * 1024
MOST_CUES = 5_000
MOST_TEXT = 500
_TIME = r"(?:(\d{2,3}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t]+[^\n]*)?")
_TAG = re.compile(r"<[^<>]{0,200}>")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words from `start_ms` up to `end_ms`; plain text, lines parted by a newline. `line`: where its time was read."""

    start_ms: int
    end_ms: int
    text: str
    line: int = field(default=0, compare=False)


def read(content: bytes) -> tuple[Cue, ...]:
    """Read a WebVTT file. Raises BadTimedText."""
    if len(content) > MAX_BYTES:
        raise BadTimedText("too_large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadTimedText("not_utf8") from None
    if "\0" in text:
        raise BadTimedText("not_utf8")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        raise BadTimedText("no_header", 1)
    return _in_order(_cues(lines))


def write(cues: Iterable[Cue]) -> str:
    """Write cues as WebVTT; what they say is escaped, so that none of it is markup or a new cue."""
    parts = [f"{exact(cue.start_ms)} --> {exact(cue.end_ms)}\n{html.escape(cue.text, quote=False)}\n" for cue in cues]
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
            raise BadTimedText("too_many", block_at + 1)
    return cues


def _cue(block: Sequence[str], line: int) -> Cue:
    if "-->" not in block[0]:  # an identifier
        block, line = block[1:], line + 1
    found = _TIMING.fullmatch(block[0].strip()) if block else None
    if found is None:
        raise BadTimedText("no_timing", line)
    start, end = ms_of(found.groups()[:4]), ms_of(found.groups()[4:])
    if end <= start:
        raise BadTimedText("ends_before_it_starts", line)
    text = html.unescape(_TAG.sub("", "\n".join(block[1:])))
    text = "\n".join(" ".join(one.split()) for one in text.split("\n") if one.strip()).replace("\0", "")
    if not text:
        raise BadTimedText("no_words", line)
    if len(text) > MOST_TEXT or "-->" in text:
        raise BadTimedText("too_long" if len(text) > MOST_TEXT else "no_timing", line)
    return Cue(start, end, text, line)


def _in_order(cues: list[Cue]) -> tuple[Cue, ...]:
    if not cues:
        raise BadTimedText("empty")
    for before, after in pairwise(cues):
        if after.start_ms < before.start_ms:
            raise BadTimedText("out_of_order", after.line)
    return tuple(cues)
