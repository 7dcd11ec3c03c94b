"""What the job page shows of an artifact without a download: pictures, numbers, the start of a text."""

import json
from typing import Any

from .models import Artifact

PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
TEXTS = (".txt", ".csv", ".tsv", ".md", ".log", ".json", ".jsonl", ".yaml", ".yml", ".py")
MAX_PICTURE = 8 * 1024 * 1024
MAX_JSON = 64 * 1024
MAX_TEXT = 4 * 1024
MAGIC = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8", "image/webp": b"RIFF"}


def inline_type(artifact: Artifact) -> str | None:
    """Return the content type under which a picture may be shown; None for everything else.

    The name must say so and the first bytes must agree: SVG and HTML can carry programs and never qualify.
    """
    wanted = PICTURES.get(_suffix(artifact))
    if wanted is None or artifact.size_bytes > MAX_PICTURE:
        return None
    return wanted if _head(artifact, 8).startswith(MAGIC[wanted]) else None


def preview_of(artifact: Artifact) -> dict[str, Any] | None:
    """Return {kind: picture}, {kind: numbers, rows}, {kind: text, text} or None. Reads at most 64 KiB of the file."""
    suffix = _suffix(artifact)
    if suffix in PICTURES:
        return {"kind": "picture"} if inline_type(artifact) else None
    if suffix == ".json" and artifact.size_bytes <= MAX_JSON:
        rows = _flat_json(_head(artifact, MAX_JSON))
        if rows:
            return {"kind": "numbers", "rows": rows}
    if suffix in TEXTS:
        return {"kind": "text", "text": _head(artifact, MAX_TEXT).decode("utf-8", "replace")}
    return None


def _flat_json(content: bytes) -> list[tuple[str, str]]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, dict):
        return []
    return [(str(name), str(value)) for name, value in found.items() if isinstance(value, str | int | float | bool)][
        :40
    ]


def _suffix(artifact: Artifact) -> str:
    name = artifact.path.rsplit("/", 1)[-1].lower()
    return name[name.rfind(".") :] if "." in name else ""


def _head(artifact: Artifact, size: int) -> bytes:
    try:
        with artifact.file.open("rb") as opened:
            return bytes(opened.read(size))
    except OSError:
        return b""
