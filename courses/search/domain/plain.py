"""The words of a Markdown text, without its marks."""

import re

_MARKS = (
    (re.compile(r"^(```|~~~).*$", re.MULTILINE), " "),
    (re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)"), r"\1 "),
    (re.compile(r"^\s{0,3}(#{1,6}|>|[-*+]|\d{1,3}[.)])\s+(\[[ xX]\]\s)?", re.MULTILINE), ""),
    (re.compile(r"^\s*\|?[\s:|-]{3,}$", re.MULTILINE), " "),
    (re.compile(r"(\*\*|__|~~|`)"), ""),
    (re.compile(r"\|"), " "),
)


def plain(markdown: str) -> str:
    """Return a text to look through: code and formulas stay, addresses of links and marks go."""
    for pattern, instead in _MARKS:
        markdown = pattern.sub(instead, markdown)
    return markdown
