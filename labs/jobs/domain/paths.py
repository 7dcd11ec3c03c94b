"""Which names a submitted file may have. The rules are the same for uploads, the editor, the API and zips."""

import re
import unicodedata
from collections.abc import Iterable

MAX_DEPTH = 8
MAX_PATH = 200
MAX_NAME = 100

_DRIVE = re.compile(r"^[A-Za-z]:")


class BadFile(ValueError):
    """A submitted file, or the archive it came in, is refused. `code` says why; the words are in `refusals`."""

    def __init__(self, code: str, path: str = "", **facts: int | str) -> None:
        super().__init__(f"{code}: {path!r}")
        self.code, self.path, self.facts = code, path, facts


def check_path(path: str) -> str:
    """Return the path in NFC, relative and with `/` between its parts.

    Raises BadFile: empty_name, backslash, absolute, parent, control_character, name_too_long, too_deep.
    """
    if not path or path.endswith("/"):
        raise BadFile("empty_name", path)
    if "\\" in path:
        raise BadFile("backslash", path)
    if path.startswith("/") or _DRIVE.match(path):
        raise BadFile("absolute", path)
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in path):
        raise BadFile("control_character", printable(path))
    clean = unicodedata.normalize("NFC", path)
    parts = clean.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise BadFile("parent", path)
    if len(clean) > MAX_PATH or any(len(part.encode()) > MAX_NAME * 2 or len(part) > MAX_NAME for part in parts):
        raise BadFile("name_too_long", path[:60], most=MAX_PATH)
    if len(parts) > MAX_DEPTH:
        raise BadFile("too_deep", path, most=MAX_DEPTH)
    return clean


def check_together(paths: Iterable[str]) -> None:
    """Refuse names that clash: the same but for case, or one that is a file and a folder at once.

    Raises BadFile: duplicate, file_is_folder.
    """
    seen: dict[str, str] = {}
    for path in paths:
        folded = path.casefold()
        if folded in seen:
            raise BadFile("duplicate", path, other=seen[folded])
        seen[folded] = path
    for folded, path in seen.items():
        parts = folded.split("/")
        for depth in range(1, len(parts)):
            other = seen.get("/".join(parts[:depth]))
            if other is not None:
                raise BadFile("file_is_folder", path, other=other)


def printable(text: str) -> str:
    """Make a hostile name fit to show: what is not printable becomes an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)[:120]
