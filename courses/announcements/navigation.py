"""Announcements in the navigation."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register


def _signed_in(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated)


def register_items() -> None:
    register(
        NavItem(
            _("Announcements"), "announcements:list", icon="megaphone", section="home", order=30, predicate=_signed_in
        )
    )
