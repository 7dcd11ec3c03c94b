"""Acts that several apps share: opening a campus opens its quota account and its pool site with it."""

from django.db import transaction

from campus.people.models import User
from campus.places.api import open_campus
from campus.places.models import Campus
from infra.pool.models import Site
from labs.quota.api import open_account
from labs.quota.models import Account


@transaction.atomic
def open_whole_campus(
    *, actor: User | None, slug: str, name_ko: str, name_en: str, timezone: str, address: str
) -> Campus:
    """Open a campus that courses, quota and the pool know at once.

    Its account starts with nothing allocated; its site has no nodes yet. Raises what `open_campus` raises.
    """
    campus = open_campus(actor=actor, slug=slug, name_ko=name_ko, name_en=name_en, timezone=timezone, address=address)
    open_account(
        kind=Account.Kind.CAMPUS,
        name=name_ko,
        parent=Account.objects.get(kind=Account.Kind.PLATFORM),
        scope=campus.scope,
        actor=actor,
    )
    Site.objects.create(campus=campus, slug=slug, name_ko=name_ko, name_en=name_en)
    return campus
