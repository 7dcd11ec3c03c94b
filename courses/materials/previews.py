"""What a file's page shows of it without a download: a picture, the start of a text."""

from typing import Any

from .domain.files import PDF, PLAIN, shown_type
from .models import MaterialVersion

MAX_PICTURE = 20 * 1024 * 1024
_HEAD = 64 * 1024
_TEXT = 20_000


def inline_type(version: MaterialVersion) -> str:
    """Return the type under which a file may be shown instead of downloaded; empty for none. Its bytes decide."""
    found = shown_type(version.name, _head(version, 64))
    if found.startswith("image/") and version.size_bytes > MAX_PICTURE:
        return ""
    return found


def preview_of(version: MaterialVersion) -> dict[str, Any]:
    """Return {kind: picture, pdf, text or none, text}. Reads at most 64 KiB."""
    found = inline_type(version)
    if found == PLAIN:
        text = _head(version, _HEAD).decode("utf-8", "replace").replace("\0", "")
        return {"kind": "text", "text": text[:_TEXT], "is_cut": len(text) > _TEXT or version.size_bytes > _HEAD}
    return {"kind": "pdf" if found == PDF else "picture" if found else "none"}


def _head(version: MaterialVersion, size: int) -> bytes:
    try:
        with version.file.open("rb") as opened:
            return bytes(opened.read(size))
    except OSError:
        return b""
