"""Collects what a run left in its working folder, by directory descriptors and without following a link."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.executors.contract import CHECKPOINT, MIB, Output, OutputCaps
from infra.executors.domain import names

MAX_SEEN = 50_000
MAX_SKIPPED = 100
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking, or a pipe put in the file's place would hold the runner for ever.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class Collector:
    """Copies new and changed regular files out of a dead run's folder into one of the host's."""

    target: Path
    """Where the copies go, named by number: no name of the run's making ever reaches the host's disk."""
    caps: OutputCaps
    sources: Mapping[str, bytes]
    outputs: list[Output] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    checkpoint_changed_at: float | None = None
    """When the newest file of the checkpoint changed, in seconds since the epoch."""
    _seen: int = 0
    _total: int = 0
    _left_unnamed: int = 0

    def collect(self, work: int) -> None:
        """Take what may be taken from the folder open at descriptor `work`; the rest is in `skipped`, with why."""
        self.target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder, path in self._walk(work, "", 0):
            self._take(folder, path)
        if self._left_unnamed:
            self.skipped.append(("…", f"and {self._left_unnamed} more"))

    def _walk(self, folder: int, prefix: str, depth: int) -> Iterator[tuple[int, str]]:
        """(descriptor of its folder, path) of everything that is no folder: the checkpoint, then in order of name."""
        with os.scandir(folder) as entries:
            found = []
            for entry in entries:
                self._seen += 1
                if self._seen > MAX_SEEN:
                    self._skip(prefix or "/", f"more than {MAX_SEEN} names")
                    break
                found.append((entry.name, entry.is_dir(follow_symlinks=False)))
        for name, is_folder in sorted(found, key=lambda one: (prefix + one[0] != CHECKPOINT, one)):
            path = prefix + name
            if not is_folder:
                yield folder, path
            elif depth + 1 >= self.caps.depth:
                self._skip(path, f"deeper than {self.caps.depth} folders")
            elif (problem := names.output_path_problem(path, max_depth=self.caps.depth)) is not None:
                self._skip(path, problem)
            else:
                inner = _open_or_none(name, _OPEN_FOLDER, folder)
                if inner is None:
                    self._skip(path, "not readable")
                    continue
                try:
                    yield from self._walk(inner, f"{path}/", depth + 1)
                finally:
                    os.close(inner)

    def _take(self, folder: int, path: str) -> None:
        if (problem := names.output_path_problem(path, max_depth=self.caps.depth)) is not None:
            self._skip(path, problem)
            return
        name = path.rpartition("/")[2]
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(mode.st_mode):
            self._skip(path, "a link" if stat.S_ISLNK(mode.st_mode) else "no regular file")
            return
        file = _open_or_none(name, _OPEN_FILE, folder)
        if file is None:
            self._skip(path, "not readable")
            return
        with os.fdopen(file, "rb") as source:
            self._take_file(source.fileno(), path)

    def _take_file(self, file: int, path: str) -> None:
        status = os.fstat(file)
        normal = names.normal(path)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            self._skip(path, "a file with several names")
        elif self._is_unchanged(file, path, status.st_size):
            return
        elif len(self.outputs) >= self.caps.files:
            self._skip(path, f"more than {self.caps.files} files")
        elif self._total + status.st_size > self.caps.total:
            self._skip(path, f"more than {self.caps.total // MIB} MiB in all")
        elif any(output.path == normal for output in self.outputs):
            self._skip(path, "the same name twice")
        else:
            output = self._copy(file, normal)
            self.outputs.append(output)
            self._total += output.size
            if normal.startswith(f"{CHECKPOINT}/"):
                self.checkpoint_changed_at = max(status.st_ctime, self.checkpoint_changed_at or 0.0)

    def _is_unchanged(self, file: int, path: str, size: int) -> bool:
        source = self.sources.get(path)
        return source is not None and len(source) == size and os.pread(file, size + 1, 0) == source

    def _copy(self, file: int, path: str) -> Output:
        target = self.target / f"{len(self.outputs):04d}"
        digest, size = hashlib.sha256(), 0
        with open(target, "xb") as copy:
            while chunk := os.read(file, MIB):
                size += len(chunk)
                digest.update(chunk)
                copy.write(chunk)
        return Output(path, size, digest.hexdigest(), target)

    def _skip(self, path: str, why: str) -> None:
        if why in ("hidden", "Python's cache"):
            return
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append((names.printable(path), why))
        else:
            self._left_unnamed += 1


def _open_or_none(name: str, flags: int, folder: int) -> int | None:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError:
        return None


@dataclass(slots=True)
class Tail:
    """Reads what is appended to one file of a folder that a hostile program writes in at the same time."""

    name: str
    limit: int
    """Bytes that it reads at most over the run's life."""
    _offset: int = 0
    _inode: int = 0

    def read(self, folder: int, size: int) -> bytes:
        """Up to `size` more bytes; nothing when it is absent, no plain file, or used up. A new file is read anew."""
        file = _open_or_none(self.name, _OPEN_FILE, folder)
        if file is None:
            return b""
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
                return b""
            if status.st_ino != self._inode or status.st_size < self._offset:
                self._inode, self._offset = status.st_ino, 0
            chunk = os.pread(file, min(size, max(self.limit, 0)), self._offset)
        finally:
            os.close(file)
        self._offset += len(chunk)
        self.limit -= len(chunk)
        return chunk
