"""What a course page lists. Apps further up know modules, lessons and labs; they register here who tells."""

from collections.abc import Callable, Sequence
from typing import Any

from .access import RunAccess

Outline = Callable[[RunAccess], Sequence[Any]]
_providers: list[Outline] = []


def register_outline(provider: Outline) -> None:
    """Name the function that returns a run's modules as one reader sees them; call it from `AppConfig.ready()`."""
    _providers[:] = [provider]


News = Callable[[RunAccess], Sequence[Any]]
_news: list[News] = []


def register_news(provider: News) -> None:
    """Name the function that returns a run's newest announcements for one reader; call it from `AppConfig.ready()`."""
    _news[:] = [provider]


def news_of(access: RunAccess) -> list[Any]:
    """Return what was announced on a run lately; empty where nobody tells."""
    return [one for provider in _news for one in provider(access)]


def outline_of(access: RunAccess) -> list[Any]:
    """Return the modules of a run, with lessons and labs; empty where nobody tells."""
    return [module for provider in _providers for module in provider(access)]
