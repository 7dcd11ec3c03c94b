"""The registry of kinds: apps say in words what a notice of theirs means; only the kind and its facts are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campus.core import formats

from .topics import OTHER

Text = str | Promise


@dataclass(frozen=True)
class NoticeKind:
    """What a kind says. `title` and `text` are lazy msgids with %(name)s for facts; people choose by its `topic`.

    Facts are written by how their names end: `_gpu_s` as GPU time, `_at` as a time, `_on` as a day.
    """

    title: Text
    text: Text = ""
    icon: str = "bell"
    tone: str = "neutral"
    topic: str = OTHER


# What is shown of a notice whose app is gone: that there was one, and where it leads.
UNKNOWN = NoticeKind(_("Something changed"))

_KINDS: dict[str, NoticeKind] = {}


def register(kinds: Mapping[str, NoticeKind]) -> None:
    """Add kinds by name (`app.what_happened`); call it from `AppConfig.ready()`."""
    _KINDS.update(kinds)


def kind_of(name: str) -> NoticeKind:
    """Return a kind, or the one that says no more than that something changed."""
    return _KINDS.get(name, UNKNOWN)


def is_registered(name: str) -> bool:
    return name in _KINDS


def kinds_of(topic: str) -> list[str]:
    """Return the names of the kinds that belong to a topic."""
    return sorted(name for name, kind in _KINDS.items() if kind.topic == topic)


@dataclass(frozen=True)
class Words:
    """A notice as a reader sees it."""

    title: str
    text: str


def words_of(name: str, facts: Mapping[str, Any]) -> Words:
    """Say a notice in the active language; a fact that is missing is a dash, never an error."""
    kind, written = kind_of(name), written_facts(facts)
    return Words(str(kind.title) % written, str(kind.text) % written)


def written_facts(facts: Mapping[str, Any]) -> "_Facts":
    """Return facts as people write them, in the active language."""
    return _Facts({fact: _written(fact, value) for fact, value in facts.items()})


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "–"


def _written(name: str, value: Any) -> str:
    if value is None or value == "":
        return "–"
    if name.endswith("_gpu_s"):
        return formats.gpu_hours(value)
    if name.endswith("_at"):
        return formats.campus_time(datetime.fromisoformat(value))
    if name.endswith("_on"):
        return formats.campus_date(date.fromisoformat(value))
    return str(value)
