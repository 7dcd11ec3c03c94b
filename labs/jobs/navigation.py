"""Jobs in the navigation."""

from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register


def register_items() -> None:
    """Put the list of jobs among the labs."""
    register(NavItem(_("Jobs"), "jobs:list", icon="cpu", section="labs", order=10, tab=True))
