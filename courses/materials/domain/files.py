"""What a file is, by name and first bytes: whether it may be shown on a page, and under which name it is kept."""

import re
import unicodedata

PDF = "application/pdf"
PLAIN = "text/plain; charset=utf-8"
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", PDF),
)
_TEXTS = (".txt", ".csv", ".tsv", ".md", ".log", ".json", ".jsonl", ".yaml", ".yml", ".py", ".toml", ".tex")
MOST_NAME = 120
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')


def shown_type(name: str, head: bytes) -> str:
    """Return the type under which a browser may show it: a PDF, a picture, plain text; empty for everything else.

    First bytes decide for PDFs and pictures; SVG and HTML can carry programs and are never shown.
    """
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return PLAIN if name.lower().endswith(_TEXTS) and b"\0" not in head else ""


def picture_type(head: bytes) -> str:
    """Return `image/png` or `image/jpeg` by first bytes; empty for everything else."""
    found = shown_type("", head)
    return found if found in ("image/png", "image/jpeg") else ""


def safe_name(said: str) -> str:
    """Return the last part of a path as a name that no file system and no header takes for more than that."""
    name = unicodedata.normalize("NFC", said).replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE.sub("_", name).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if dot and stem and len(suffix) <= 10:
        return f"{stem[: MOST_NAME - len(suffix) - 1]}.{suffix}"
    return name[:MOST_NAME] or "file"
