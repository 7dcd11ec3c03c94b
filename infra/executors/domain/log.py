"""What is kept of a job's output: its head as it comes, and the end of what follows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MARKER = "\n[campus: {left_out} bytes of output left out here]\n"


@dataclass(slots=True)
class LogKeeper:
    """Passes the first `head` bytes on at once and holds the last `tail` bytes for the end."""

    head: int
    tail: int
    seen: int = 0
    _held: deque[bytes] = field(default_factory=deque)
    _held_size: int = 0

    def feed(self, chunk: bytes) -> bytes:
        """The part of this chunk that goes out now; may be empty."""
        room = max(self.head - self.seen, 0)
        self.seen += len(chunk)
        now, later = chunk[:room], chunk[room:]
        if later:
            self._hold(later)
        return now

    def finish(self) -> bytes:
        """What goes out at the end: nothing for a short log, else the marker line and the tail."""
        held = b"".join(self._held)
        held = held[max(len(held) - self.tail, 0) :]
        left_out = self.left_out
        return (MARKER.format(left_out=left_out).encode() if left_out else b"") + held

    @property
    def left_out(self) -> int:
        """Bytes that are in neither part."""
        return max(self.seen - self.head - self.tail, 0)

    def _hold(self, chunk: bytes) -> None:
        self._held.append(chunk)
        self._held_size += len(chunk)
        while self._held and self._held_size - len(self._held[0]) >= self.tail:
            self._held_size -= len(self._held.popleft())
