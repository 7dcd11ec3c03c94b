"""The catalogue in the navigation."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campus.core.navigation import NavItem, register
from campus.people.api import standing_of


def _administers(request: HttpRequest) -> bool:
    return standing_of(request.user).is_administering


def register_items() -> None:
    """Put the courses among what people learn, and their administration where administrators look."""
    register(
        NavItem(_("Courses"), "catalog:list", icon="book-open", section="learn", order=10, tab=True),
        NavItem(
            _("Terms and programmes"),
            "catalog:administration",
            icon="layers",
            section="admin",
            order=20,
            predicate=_administers,
            short=pgettext_lazy("navigation", "Programmes"),
        ),
    )
