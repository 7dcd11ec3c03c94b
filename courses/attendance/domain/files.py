"""Documents that people hand in: what they are by their first bytes, not by their name."""

#: The kinds that are taken: how each begins, its media type and its ending.
_KINDS = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
)
MOST_BYTES = 5 * 1024 * 1024
MOST_FILES = 3


def kind_of(head: bytes) -> tuple[str, str] | None:
    """Return media type and ending of a document by its beginning, or None for what is not taken."""
    return next(((media, ending) for start, media, ending in _KINDS if head.startswith(start)), None)
