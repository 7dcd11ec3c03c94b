"""Quota in the navigation: for who looks after accounts. A learner's own balance is on the usage page."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campus.core.navigation import NavItem, register
from campus.people.access import standing_of


def _signed_in(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated)


def _looks_after_accounts(request: HttpRequest) -> bool:
    return standing_of(request.user).is_teaching


def _administers(request: HttpRequest) -> bool:
    return standing_of(request.user).is_administering


def register_items() -> None:
    register(
        NavItem(
            _("GPU quota"), "quota:tree", icon="list-tree", section="admin", order=10, predicate=_looks_after_accounts
        ),
        NavItem(
            _("Quota desk"),
            "quota:desk",
            icon="sliders-horizontal",
            section="admin",
            order=11,
            predicate=_administers,
        ),
        NavItem(_("GPU time requests"), "quota:requests", icon="inbox", section="labs", order=60, predicate=_signed_in),
    )
