"""Data sets on this node: fetched once by digest, checked, unpacked read-only, dropped when space runs short.

Several agents may share the folder: a lock file beside each data set is held shared by those who read it and
exclusively by whoever fetches or drops it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from infra.agent.archives import BadArchive, unpack
from infra.agent.wire import DIGEST, DataSetOrder

MIB = 1024 * 1024
LOCK_LOOK_S = 0.1
#: The campus takes no more of them from one node.
MOST_TOLD = 1_000


class DataSetFailed(Exception):
    """A data set cannot be had on this node; the message says why."""


class Cut(Exception):
    """It is no longer wanted."""


Fetch = Callable[[str, IO[bytes], int], object]
"""Writes the archive with this digest to the file, at most so many bytes."""


class DataSets:
    """The folder of data sets, at most `cap_mib` large, give or take those in use."""

    def __init__(self, folder: Path, *, cap_mib: int) -> None:
        self._folder = folder
        self._cap = cap_mib * MIB
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)

    @contextlib.contextmanager
    def use(self, order: DataSetOrder, *, fetch: Fetch, is_cut: Callable[[], bool]) -> Iterator[Path]:
        """The folder with the data set's files, which stays while the block runs.

        Waits when another fetches it, as long as `is_cut` says no. Raises DataSetFailed, Cut, and what `fetch` raises.
        """
        if not DIGEST.match(order.digest):
            raise DataSetFailed(f"{order.digest[:80]!r} is no digest")
        with open(self._folder / f"{order.digest}.lock", "a") as lock:
            target = self._folder / order.digest
            while True:
                _take(lock, fcntl.LOCK_SH, is_cut)
                if target.is_dir():
                    break
                _take(lock, fcntl.LOCK_EX, is_cut)
                if not target.is_dir():
                    self._bring(order, target, fetch)
                # Never from exclusive to shared in one step: another may drop it in between, so look again.
            os.utime(lock.fileno())
            yield target

    def _bring(self, order: DataSetOrder, target: Path, fetch: Fetch) -> None:
        self._make_room(order.size_bytes)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="new-", ignore_cleanup_errors=True) as work:
            with open(Path(work, "archive"), "w+b") as archive:
                fetch(order.digest, archive, max(order.size_bytes, 1))
                _check_digest(archive, order.digest)
                content = Path(work, "content")
                content.mkdir()
                try:
                    unpack(archive, content)
                except BadArchive as error:
                    raise DataSetFailed(f"data set {order.slug}: {error}") from error
            _make_read_only(content)
            os.rename(content, target)

    def _make_room(self, wanted: int) -> None:
        """Drop the data sets that were longest unused, until `wanted` more bytes fit under the cap."""
        found = []
        for path in self._folder.iterdir():
            if DIGEST.match(path.name):
                lock = self._folder / f"{path.name}.lock"
                found.append((lock.stat().st_mtime if lock.exists() else 0.0, path, _size(path)))
        total = sum(size for _used_at, _path, size in found)
        for _used_at, path, size in sorted(found):
            if total + wanted <= self._cap:
                return
            if self._drop(path):
                total -= size

    def _drop(self, path: Path) -> bool:
        with open(self._folder / f"{path.name}.lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False  # someone reads it
            _remove(path)
            return True

    def held(self) -> tuple[str, ...]:
        """The digests of those that lie here now, sorted; at most MOST_TOLD of them."""
        try:
            names = os.listdir(self._folder)
        except OSError:  # a heartbeat must not end with it
            return ()
        return tuple(sorted(filter(DIGEST.match, names))[:MOST_TOLD])

    def sweep(self) -> None:
        """Remove what a killed agent left half done: at start, while no other agent of this folder fetches."""
        for path in self._folder.glob("new-*"):
            if time.time() - path.stat().st_mtime > 3600:
                _remove(path)


def _take(lock: IO[str], kind: int, is_cut: Callable[[], bool]) -> None:
    fcntl.flock(lock, fcntl.LOCK_UN)
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if is_cut():
                raise Cut from None
            time.sleep(LOCK_LOOK_S)
        else:
            return


def _check_digest(archive: IO[bytes], digest: str) -> None:
    archive.flush()
    archive.seek(0)
    found = hashlib.file_digest(archive, "sha256").hexdigest()  # type: ignore[arg-type]
    if found != digest:
        raise DataSetFailed(f"the data set's digest is {found[:12]}…, not {digest[:12]}… as ordered")
    archive.seek(0)


def _make_read_only(folder: Path) -> None:
    for root, _folders, files in os.walk(folder):
        # Jobs see it on a read-only mount; the folders stay ours to rename and drop.
        os.chmod(root, 0o755)  # noqa: S103
        for name in files:
            os.chmod(os.path.join(root, name), 0o444)


def _size(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(root, name)).st_size for root, _folders, files in os.walk(folder) for name in files
    )


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
