"""Attendance in the navigation."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register
from campus.people.api import standing_of


def _signed_in(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated)


def _teaches(request: HttpRequest) -> bool:
    return standing_of(request.user).is_teaching


def register_items() -> None:
    """Put one's own attendance among what people learn, and what waits for staff among what they teach."""
    register(
        NavItem(
            _("My attendance"), "attendance:mine", icon="user-check", section="learn", order=30, predicate=_signed_in
        ),
        NavItem(
            _("Roll and requests"), "attendance:desk", icon="clipboard-check", section="teach", order=30,
            predicate=_teaches,
        ),
    )  # fmt: skip
