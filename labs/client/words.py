"""Times, sizes and tables as the terminal shows them, and what of a job's output may reach it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction

_DURATION = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s?)?\Z")
_GPUS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6}|/[1-9][0-9]{0,3})?\Z")
_MEMORY = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(gib|mib|)\Z")
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;]{0,20})?\Z")
# What a terminal obeys, but for tab, line feed and carriage return; 0x9b and its like act in some terminals alone
# and are halves of letters in UTF-8, so they stay.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\x1b(?!\[[0-9;]{0,20}m)")


def seconds_of(text: str) -> int:
    """`90`, `90s`, `10m`, `1h30m` in seconds. Raises ValueError."""
    found = _DURATION.match(text.strip().lower())
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is no time; write 90s, 10m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def gpus_of(text: str) -> tuple[int, int]:
    """`2`, `0.25` or `1/4` as GPUs and thousandths: (2, 1000), (1, 250). Raises ValueError.

    Whether so many, or such a share, may be asked for is the campus's to say.
    """
    if _GPUS.match(text.strip()):
        wanted = Fraction(text.strip())
        thousandths = wanted * 1000
        if 0 < wanted < 1 and thousandths.denominator == 1:
            return 1, int(thousandths)
        if wanted.denominator == 1:
            return int(wanted), 1000
    raise ValueError(f"{text!r} is no number of GPUs; write 2 for two, or 0.25 or 1/4 for a share of one")


def gpus(count: int, thousandths: int) -> str:
    """A number of GPUs, or a share of one: 2, 1/4, 0.3."""
    if thousandths == 1000:
        return str(count)
    share = Fraction(count * thousandths, 1000)
    return str(share) if share.denominator <= 8 else f"{float(share):g}"


def mib_of(text: str) -> int:
    """`10`, `10GiB`, `0.5` or `512MiB` in MiB. Raises ValueError."""
    found = _MEMORY.match(text.strip().lower())
    if not found:
        raise ValueError(f"{text!r} is no amount of memory; write 10 for 10 GiB, or 512MiB")
    return int(Fraction(found[1]) * (1 if found[2] == "mib" else 1024))


def duration(seconds: float | None) -> str:
    """`45 s`, `12 min 05 s`, `3 h 20 min`; a dash for what is not known."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def gpu_time(seconds: int) -> str:
    """GPU-seconds as hours, exact below a minute."""
    return f"{seconds} GPU s" if abs(seconds) < 60 else f"{seconds / 3600:.2f} GPU h"


def size(count: int) -> str:
    """Bytes in the largest unit that leaves a number above 1."""
    number = float(count)
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns in line; Korean letters take two places."""
    cells = [list(map(plain, row)) for row in [head, *rows]]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def plain(text: str) -> str:
    """Text of someone else's making without what a terminal would obey."""
    return "".join(char if char.isprintable() else "�" for char in text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


class TerminalFilter:
    """Lets text and colours through, however the stream is cut, and nothing else that a terminal obeys.

    A job's output is its writer's: it must not retitle the window, move the cursor or answer questions for us.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """What may be shown of the stream so far."""
        whole = self._held + chunk
        unfinished = _UNFINISHED.search(whole)
        self._held = unfinished.group() if unfinished else b""
        shown = whole[: len(whole) - len(self._held)]
        return _CONTROL.sub(b"", shown)

    def finish(self) -> bytes:
        """The end of the stream: an escape that was never finished is dropped."""
        self._held = b""
        return b""
