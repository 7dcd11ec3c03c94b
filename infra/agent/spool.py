"""The log of one attempt as a file on this node: memory stays small, and any part of it can be sent again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


class SpoolFull(Exception):
    """More was printed than an executor may pass on."""


class Spool:
    """Bytes in order, read again from any offset. One thread appends, another reads. The file has no name."""

    def __init__(self, folder: Path, *, most: int) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  # lives as long as this object
        self._most = most
        self.size = 0

    def append(self, chunk: bytes) -> None:
        """Add to the end. Raises SpoolFull, OSError."""
        if self.size + len(chunk) > self._most:
            raise SpoolFull(f"more than {self._most} bytes of log")
        view = memoryview(chunk)
        while view:
            written = os.pwrite(self._file.fileno(), view, self.size)
            self.size += written
            view = view[written:]

    def read(self, start: int, most: int) -> bytes:
        """Up to `most` bytes from offset `start`."""
        return os.pread(self._file.fileno(), min(most, self.size - start), start)

    def close(self) -> None:
        """Drop it."""
        self._file.close()
