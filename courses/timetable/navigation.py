"""The timetable in the navigation."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register
from campus.people.api import standing_of


def _signed_in(request: HttpRequest) -> bool:
    return request.user.is_authenticated


def _administers(request: HttpRequest) -> bool:
    return standing_of(request.user).is_administering


def register_items() -> None:
    """The timetable for everyone, holidays and streams for administrators."""
    register(
        NavItem(
            _("Timetable"), "timetable:week", icon="calendar-days", section="learn", order=5, predicate=_signed_in,
            tab=True,
        ),
        NavItem(
            _("Holidays and streams"), "timetable:settings", icon="calendar-check", section="admin", order=25,
            predicate=_administers,
        ),
    )  # fmt: skip
