"""What other apps put into a person's calendar feed, such as deadlines: they register who tells of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A moment in somebody's calendar. `uid` stays for ever, `sequence` grows whenever the entry changes.

    Texts are in the language that is active when the provider is asked.
    """

    uid: str
    sequence: int
    changed_at: datetime
    at: datetime
    summary: str
    description: str
    url: str
    category: str


Provider = Callable[[int, datetime, datetime], Iterable[FeedEntry]]
"""Tells a user's entries between two times."""

_PROVIDERS: dict[str, Provider] = {}


def register_entries(name: str, provider: Provider) -> None:
    """Add a provider; call it from `AppConfig.ready()`. The same name again replaces it."""
    _PROVIDERS[name] = provider


def entries_of(user_id: int, since: datetime, until: datetime) -> list[FeedEntry]:
    """Return what all providers tell, by time. As many queries as they take."""
    found = [entry for provider in _PROVIDERS.values() for entry in provider(user_id, since, until)]
    return sorted(found, key=lambda entry: (entry.at, entry.uid))
