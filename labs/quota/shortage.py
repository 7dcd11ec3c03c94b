"""What to say when an account is short: which one, what is left, and who can help."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from campus.core import formats
from campus.core.errors import OverQuota
from campus.people.access import INSTRUCTING
from campus.people.models import RoleGrant

from .models import Account

MOST_HELPERS = 5
_NEAREST_FIRST = {role: rank for rank, role in enumerate(["INSTRUCTOR", "CAMPUS_ADMIN", "PLATFORM_ADMIN"])}


def helpers_of(account: Account, roles: Iterable[str] = INSTRUCTING) -> list[dict[str, Any]]:
    """Return who looks after an account in one of `roles`, nearest scope first: name, email and role (in words)."""
    path = account.scope.path
    grants = RoleGrant.objects.filter(scope_id__in=path, role__in=roles, user__is_active=True)
    nearest = sorted(
        grants.select_related("user"),
        key=lambda grant: (-path.index(grant.scope_id), _NEAREST_FIRST[grant.role], grant.pk),
    )
    people: dict[int, dict[str, Any]] = {}
    for grant in nearest:
        person = {"name": grant.user.name, "email": grant.user.email, "role": grant.get_role_display()}
        people.setdefault(grant.user_id, person)
    return list(people.values())[:MOST_HELPERS]


def over_quota(account: Account, available_s: int, wanted_s: int, roles: Iterable[str] = INSTRUCTING) -> OverQuota:
    """Return the error that names the short account, what is left of it, what was wanted, and who can help."""
    helpers = helpers_of(account, roles)
    left, wanted = _told_apart(max(available_s, 0), wanted_s)
    texts = {
        "name": account.name,
        "left": left,
        "wanted": wanted,
        "helper": f"{helpers[0]['name']} ({helpers[0]['email']})" if helpers else "",
    }
    message = _("“%(name)s” has %(left)s left; this needs %(wanted)s.") % texts
    if helpers:
        can_help = _("%(helper)s can help.") % texts
        message = f"{message} {can_help}"
    facts = {
        "short_account": account.name,
        "short_account_id": account.pk,
        "available_s": available_s,
        "wanted_s": wanted_s,
        "helpers": helpers,
    }
    return OverQuota(message, facts=facts)


def _told_apart(available_s: int, wanted_s: int) -> tuple[str, str]:
    """Write both as hours, or to the second where rounding would make a shortage of nothing."""
    left, wanted = formats.gpu_hours(available_s), formats.gpu_hours(wanted_s)
    if left != wanted:
        return left, wanted
    in_seconds = _("%(seconds)s GPU-seconds")
    return in_seconds % {"seconds": formats.number(available_s)}, in_seconds % {"seconds": formats.number(wanted_s)}
