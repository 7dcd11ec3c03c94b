"""Unpacks a data set's zip into an empty folder, and trusts nothing that the archive says of itself."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from infra.executors.domain.names import normal, zip_name

MAX_FILES = 200_000
MAX_DEPTH = 16
MAX_PATH_BYTES = 400
# A bomb grows a thousandfold; photographs, text and tables do not come near this.
MAX_GROWTH = 200
SMALL = 64 * 1024 * 1024
CHUNK = 1024 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BadArchive(Exception):
    """The archive may not be unpacked; the message says why."""


def unpack(archive: IO[bytes], target: Path) -> int:
    """Write the archive's files below `target`, which must be empty; the bytes written. Raises BadArchive, OSError.

    Refuses absolute and `..` paths, links, backslashes, control characters, names that differ by case only,
    encryption, and what grows beyond MAX_GROWTH times the archive or beyond what its entries announce.
    """
    size = os.fstat(archive.fileno()).st_size
    try:
        with zipfile.ZipFile(archive) as bundle:
            entries = [(entry, path_of(entry)) for entry in bundle.infolist()]
            check_together(path for entry, path in entries if not entry.is_dir())
            limit = max(size * MAX_GROWTH, SMALL)
            if sum(entry.file_size for entry, _path in entries) > limit:
                raise BadArchive(f"it would grow beyond {limit} bytes")
            return sum(_write(bundle, entry, target / path) for entry, path in entries)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeError, RuntimeError, ValueError) as error:
        raise BadArchive(f"no sound zip: {error}") from error


def path_of(entry: zipfile.ZipInfo) -> str:
    """The entry's relative path in NFC, which is how Korean is typed. Raises BadArchive."""
    name = normal(zip_name(entry)).rstrip("/")
    # `filename` ends at a NUL and turns the system's separator round; what was written is what counts.
    if entry.orig_filename != entry.filename or "\\" in name:
        raise BadArchive(f"the name {entry.orig_filename!r} is not plain")
    if any(unicodedata.category(char)[0] == "C" for char in name):
        raise BadArchive(f"the name {name!r} holds control characters")
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") for part in parts):
        raise BadArchive(f"the path {name!r} leads elsewhere")
    if len(parts) > MAX_DEPTH or len(name.encode()) > MAX_PATH_BYTES:
        raise BadArchive(f"the path {name[:80]!r} is too long")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadArchive(f"{name!r} is a link or a device")
    if entry.flag_bits & 0x1 or entry.compress_type not in _METHODS:
        raise BadArchive(f"{name!r} is encrypted or packed in an unusual way")
    return name


def check_together(paths: Iterable[str]) -> None:
    """Raises BadArchive when there are too many, two differ by case only, or a file is a folder as well."""
    files: set[str] = set()
    for path in paths:
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in files:
            raise BadArchive(f"the name {path!r} is there twice")
        files.add(folded)
        if len(files) > MAX_FILES:
            raise BadArchive(f"it holds more than {MAX_FILES} files")
    for path in files:
        if any(path[:at] in files for at, char in enumerate(path) if char == "/"):
            raise BadArchive(f"a folder of {path!r} is also a file")


def _write(bundle: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> int:
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with bundle.open(entry) as source, open(target, "xb") as file:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > entry.file_size:
                raise BadArchive(f"{entry.filename!r} is larger than it says")
            file.write(chunk)
    return written
