"""What a topic is given: the stand, how thorough to be, and where to say what goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

from .figures import Figure
from .services import Say, Stand


@dataclass
class Bench:
    """One run of the bench."""

    stand: Stand
    is_quick: bool
    say: Say
    _partial: list[Figure] = field(default_factory=list)

    def choose(self, full: int, quick: int) -> int:
        """A size or a number of repetitions."""
        return quick if self.is_quick else full

    def keep(self, *figures: Figure) -> None:
        """Note figures at once, so that they are told even if the topic breaks later on."""
        self._partial.extend(figures)

    def take_partial(self) -> list[Figure]:
        """What was kept since the last topic."""
        kept, self._partial = self._partial, []
        return kept
