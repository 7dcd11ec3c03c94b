"""Reading a question from an address."""

from collections.abc import Mapping

LONGEST = 200


def asked(given: Mapping[str, str]) -> tuple[str, str, int]:
    """Return question, kind and page; what makes no sense is as if it were not there."""
    page = given.get("page", "")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 5 else 1
    return given.get("q", "")[:LONGEST].replace("\x00", " ").strip(), given.get("kind", "")[:20], number
