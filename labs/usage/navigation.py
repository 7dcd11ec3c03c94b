"""Usage in the navigation."""

from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register


def register_items() -> None:
    register(NavItem(_("Usage"), "usage:mine", icon="gauge", section="labs", order=40))
