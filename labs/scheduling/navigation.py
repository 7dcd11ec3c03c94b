"""Scheduling in the navigation: for the staff who plan with it."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register
from campus.people.access import standing_of


def is_staff(request: HttpRequest) -> bool:
    return standing_of(request.user).is_teaching


def register_items() -> None:
    register(
        NavItem(
            _("GPUs for classes"), "scheduling:classes", icon="calendar", section="pool", order=20, predicate=is_staff
        ),
        NavItem(_("What if"), "scheduling:what-if", icon="git-compare", section="pool", order=30, predicate=is_staff),
    )
