"""One byte range of a download (RFC 9110, section 14): what a video player asks for when it seeks."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end`, both of them sent."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start + 1


class Unsatisfiable(ValueError):
    """No byte of the file lies in what was asked for."""


def part_of(header: str, size: int) -> Part | None:
    """Read a Range header for a file of `size` bytes; None sends all of it. Raises Unsatisfiable.

    Several ranges, other units and nonsense are ignored, as the standard lets a server do.
    """
    found = _ONE.fullmatch(header.strip().replace(" ", ""))
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if not first:  # the last so many bytes
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return Part(max(0, size - int(last)), size - 1)
    start, end = int(first), int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Part(start, min(end, size - 1))
