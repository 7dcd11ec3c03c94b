"""The registry of navigation items: apps say what they offer to whom, the shell draws it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

SECTIONS: dict[str, str | Promise] = {
    "home": "",
    "learn": pgettext_lazy("navigation", "Learn"),
    "labs": pgettext_lazy("navigation", "Labs"),
    "teach": pgettext_lazy("navigation", "Teach"),
    "pool": pgettext_lazy("navigation", "Pool"),
    "admin": pgettext_lazy("navigation", "Administration"),
}
TABS = 4  # beside "More": a phone's bottom bar holds five thumbs' widths


@dataclass(frozen=True)
class NavItem:
    """A page in the navigation.

    `predicate(request)` says who sees it (nobody signed out, when left out), `badge(request)` how many
    things wait there. Neither may cost a query of its own. `tab` asks for the phone's bottom bar.
    """

    label: str | Promise
    url_name: str
    icon: str
    section: str = "home"
    predicate: Callable[[HttpRequest], bool] | None = None
    badge: Callable[[HttpRequest], int | None] | None = None
    order: int = 100
    tab: bool = False
    short: str | Promise = ""  # for the bottom bar, where the label is long


class ShownItem(NamedTuple):
    """An item as one request sees it: plain values, by which what is drawn of it is kept."""

    label: str
    short: str
    url_name: str
    url: str
    icon: str
    section: str
    is_tab: bool
    is_current: bool
    badge: int | None


Sections = tuple[tuple[str, tuple[ShownItem, ...]], ...]


@dataclass(frozen=True)
class Navigation:
    """What the shell draws: sections of the sidebar, tabs of the bottom bar, and the rest behind "More"."""

    sections: Sections
    tabs: tuple[ShownItem, ...]
    more: Sections


_ITEMS: dict[tuple[str, str], NavItem] = {}


def register(*items: NavItem) -> None:
    """Add items; call it from `AppConfig.ready()`. Registering the same page of a section again replaces it.

    Raises ValueError for an unknown section.
    """
    for item in items:
        if item.section not in SECTIONS:
            raise ValueError(f"no navigation section {item.section!r}")
        _ITEMS[item.section, item.url_name] = item


def for_request(request: HttpRequest) -> Navigation:
    """Build the navigation that this request may see, with the item of the current page marked."""
    visible = [(item, url) for item in _ordered() if _allows(item, request) and (url := _url(item))]
    current = _current(request.path, [url for _, url in visible])
    shown = [_shown(item, url, url == current, request) for item, url in visible]
    tabs = tuple([entry for entry in shown if entry.is_tab][:TABS])
    return Navigation(_by_section(shown), tabs, _by_section([entry for entry in shown if entry not in tabs]))


def _shown(item: NavItem, url: str, is_current: bool, request: HttpRequest) -> ShownItem:
    label, badge = str(item.label), item.badge(request) if item.badge else None
    return ShownItem(
        label, str(item.short) or label, item.url_name, url, item.icon, item.section, item.tab, is_current, badge
    )


def _ordered() -> list[NavItem]:
    names = list(SECTIONS)
    return sorted(_ITEMS.values(), key=lambda item: (names.index(item.section), item.order))


def _allows(item: NavItem, request: HttpRequest) -> bool:
    if item.predicate is not None:
        return item.predicate(request)
    return request.user.is_authenticated


def _url(item: NavItem) -> str | None:
    try:
        return reverse(item.url_name)
    except NoReverseMatch:  # an app that is installed without its pages
        return None


def _current(path: str, urls: list[str]) -> str | None:
    matching = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
    return max(matching, key=len, default=None)


def _by_section(shown: list[ShownItem]) -> Sections:
    return tuple(
        (str(label), entries)
        for name, label in SECTIONS.items()
        if (entries := tuple(entry for entry in shown if entry.section == name))
    )
