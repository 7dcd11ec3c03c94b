"""The combined pages in the navigation."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register
from campus.people.access import standing_of


def _teaches(request: HttpRequest) -> bool:
    return standing_of(request.user).is_teaching


def _administers(request: HttpRequest) -> bool:
    return standing_of(request.user).is_administering


def _signed_in(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated)


def register_items() -> None:
    """Put the combined pages where people look for them."""
    register(
        NavItem(_("Today"), "web:home", icon="sun", section="home", order=10, tab=True, predicate=_signed_in),
        NavItem(_("Cohorts"), "web:cohorts", icon="users", section="teach", order=10, tab=True, predicate=_teaches),
        NavItem(_("Pool"), "web:pool", icon="server", section="pool", order=10, tab=True, predicate=_teaches),
        NavItem(_("Campuses"), "web:campuses", icon="building-2", section="admin", order=20, predicate=_administers),
        NavItem(_("People"), "web:people", icon="user-check", section="admin", order=30, predicate=_administers),
        NavItem(_("Audit trail"), "web:audit", icon="history", section="admin", order=90, predicate=_administers),
    )
