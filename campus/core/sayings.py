"""What programs say in fixed English sentences, and is stored so, in the reader's language."""

import re
from collections.abc import Mapping

from .errors import Text


class Sayings:
    """Sentences as regular expressions, and our words for each, with the named groups as values."""

    def __init__(self, words: Mapping[str, Text]) -> None:
        self._words = tuple((re.compile(said), ours) for said, ours in words.items())

    def words(self, said: str) -> str:
        """Translate a sentence; one that is not known stays as it was said."""
        for pattern, ours in self._words:
            if found := pattern.fullmatch(said):
                return str(ours) % found.groupdict()
        return said
