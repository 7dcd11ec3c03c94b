"""Environments in the navigation."""

from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register


def register_items() -> None:
    """Put environments and data sets among the labs."""
    register(NavItem(_("Environments"), "environments:list", icon="package", section="labs", order=60))
