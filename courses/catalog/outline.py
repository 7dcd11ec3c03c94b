"""What a course page lists. Apps further up know modules, lessons and labs; they register here who tells."""

from collections.abc import Callable, Sequence
from typing import Any

from .access import RunAccess

Outline = Callable[[RunAccess], Sequence[Any]]
OutlinePart = Callable[[RunAccess, Sequence[Any]], None]
_providers: list[Outline] = []
_parts: list[OutlinePart] = []


def register_outline(provider: Outline) -> None:
    """Name the function that returns a run's modules as one reader sees them; call it from `AppConfig.ready()`."""
    _providers[:] = [provider]


def register_outline_part(add: OutlinePart) -> None:
    """Name a function that puts more into the modules that the outline has; call it from `AppConfig.ready()`."""
    if add not in _parts:
        _parts.append(add)


News = Callable[[RunAccess], Sequence[Any]]
_news: list[News] = []


def register_news(provider: News) -> None:
    """Name the function that returns a run's newest announcements for one reader; call it from `AppConfig.ready()`."""
    _news[:] = [provider]


def news_of(access: RunAccess) -> list[Any]:
    """Return what was announced on a run lately; empty where nobody tells."""
    return [one for provider in _news for one in provider(access)]


def outline_of(access: RunAccess) -> list[Any]:
    """Return the modules of a run, with all that lies in them; empty where nobody tells."""
    modules = [module for provider in _providers for module in provider(access)]
    for add in _parts:
        add(access, modules)
    return modules
