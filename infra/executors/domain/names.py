"""Which file names a run may bring in, and which it may leave behind."""

from __future__ import annotations

import re
import unicodedata
import zipfile

MAX_PATH_BYTES = 255
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
DATASET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ZIP_SAYS_UTF8 = 0x800


def source_path_problem(path: str, *, max_depth: int) -> str | None:
    """Why a source may not be written at this relative POSIX path; None when it may."""
    parts = path.split("/")
    if not path or path.startswith("/"):
        return "is not a relative path"
    if "" in parts or "." in parts or ".." in parts:
        return "has empty, '.' or '..' parts"
    return _common_problem(path, parts, max_depth)


def output_path_problem(path: str, *, max_depth: int) -> str | None:
    """Why a file that a run left at this path is not kept; None when it is."""
    parts = path.split("/")
    if any(part.startswith(".") for part in parts):
        return "hidden"
    if "__pycache__" in parts:
        return "Python's cache"
    return _common_problem(path, parts, max_depth)


def _common_problem(path: str, parts: list[str], max_depth: int) -> str | None:
    if any(unicodedata.category(char)[0] == "C" for char in path):
        # Line breaks, escapes, direction marks, and the surrogates that stand for bytes that are no UTF-8.
        return "name with control characters or bytes that are no UTF-8"
    if "\\" in path:
        return "name with a backslash"
    if any(part != part.strip() for part in parts):
        return "name that begins or ends with a space"
    if len(normal(path).encode()) > MAX_PATH_BYTES:
        return f"path longer than {MAX_PATH_BYTES} bytes"
    if len(parts) > max_depth:
        return f"deeper than {max_depth} folders"
    return None


def normal(path: str) -> str:
    """The path in NFC, so that the same Korean name is the same text on every system."""
    return unicodedata.normalize("NFC", path)


def zip_name(entry: zipfile.ZipInfo) -> str:
    """The name of a zip's entry as whoever packed it saw it, slashes, NULs and all.

    Few packers say how they write names. Python then reads CP437, while macOS writes UTF-8 and Windows in Korean CP949.
    """
    if entry.flag_bits & _ZIP_SAYS_UTF8 or entry.orig_filename.isascii():
        return entry.orig_filename
    for encoding in ("utf-8", "cp949"):
        try:
            return entry.orig_filename.encode("cp437").decode(encoding)
        except UnicodeError:
            continue
    return entry.orig_filename


def printable(name: str) -> str:
    """A name that is safe to show and to store: escaped where needed, at most 200 characters."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)
    return shown if len(shown) <= 200 else shown[:197] + "..."
