"""The files of a submission, from the paths on the command line."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

from labs.client.problems import usage_error

SKIPPED_FOLDERS = {"__pycache__", "node_modules", "venv"}
MAX_FILES = 200
MAX_BYTES = 4 * 1024 * 1024


def gather(paths: list[Path]) -> dict[str, bytes]:
    """Files by the path under which the job sees them: a file by its name, a folder's files relative to it.

    Left out below folders: hidden files, caches, links. Raises ClientError that names the path and the fix.
    """
    found: dict[str, bytes] = {}
    for path in paths:
        if path.is_dir():
            for file in _files_below(path):
                _add(found, file.relative_to(path).as_posix(), file)
        elif path.is_file():
            _add(found, path.name, path)
        else:
            raise usage_error(f"{path} is no file or folder")
    if not found:
        raise usage_error("there is nothing to submit in " + ", ".join(map(str, paths)))
    return found


def is_one_zip(paths: list[Path]) -> bool:
    """Whether what is submitted is an archive as it stands."""
    return len(paths) == 1 and paths[0].suffix.lower() == ".zip" and paths[0].is_file()


def as_texts(files: dict[str, bytes]) -> dict[str, str] | None:
    """The files as JSON can carry them; None when one is no UTF-8."""
    try:
        texts = {path: content.decode() for path, content in files.items()}
    except UnicodeDecodeError:
        return None
    return None if any("\0" in text for text in texts.values()) else texts


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as one archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path, content in sorted(files.items()):
            bundle.writestr(path, content)
    return buffer.getvalue()


def _files_below(folder: Path) -> list[Path]:
    found = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS)
        found += [Path(root, name) for name in sorted(files) if not name.startswith(".") and not name.endswith(".pyc")]
    return [path for path in found if path.is_file() and not path.is_symlink()]


def _add(found: dict[str, bytes], name: str, file: Path) -> None:
    if name in found:
        raise usage_error(f"two files would be called {name}: submit their folder instead, or rename one")
    try:
        found[name] = file.read_bytes()
    except OSError as error:
        raise usage_error(f"{file} cannot be read: {error.strerror}") from error
    if len(found) > MAX_FILES:
        raise usage_error(f"more than {MAX_FILES} files: leave data out, jobs read data sets at /data")
    if sum(map(len, found.values())) > MAX_BYTES:
        raise usage_error(f"more than {MAX_BYTES // 1024**2} MiB: leave data out, jobs read data sets at /data")
