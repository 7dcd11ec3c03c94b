"""Files in lessons: their names in an address, and which of them a browser may show."""

import re
import unicodedata
from collections.abc import Container

MOST_BYTES = 20 * 1024 * 1024
MOST_FILES = 100
_LONGEST = 100

#: What is shown as a picture: by its first bytes, never by its name. SVG can carry programs and is not among them.
_PICTURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


def picture_type(head: bytes) -> str:
    """Return the media type of a picture by its first 12 bytes, or nothing for what is only downloaded."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((media for start, media in _PICTURES if head.startswith(start)), "")


def safe_name(given: str) -> str:
    """Return a name for an address: letters of any script, digits, `.`, `-` and `_`; no folders, no leading dot."""
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    name = re.sub(r"[^\w.-]+", "-", name).strip(".-")
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 10:
        stem, dot, ending = name, "", ""
    return f"{stem[: _LONGEST - len(ending) - 1]}{dot}{ending}" or "file"


def free_name(wanted: str, taken: Container[str]) -> str:
    """Return `wanted`, or with a number before its ending where another file has that name."""
    stem, dot, ending = wanted.rpartition(".")
    if not stem:
        stem, dot, ending = wanted, "", ""
    number, name = 2, wanted
    while name in taken:
        name, number = f"{stem}-{number}{dot}{ending}", number + 1
    return name


def markdown_for(name: str, media_type: str) -> str:
    """Return how a lesson's text names a file: shown where it is a picture, else as a link."""
    return f"{'!' if media_type else ''}[{name}](files/{name})"
