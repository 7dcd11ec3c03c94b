"""Those who give GPU time from outside."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput
from campus.people.models import User
from labs.quota.models import Sponsor


def add_sponsor(*, name_ko: str, name_en: str = "", kind: str = Sponsor.Kind.COMPANY, actor: User | None) -> Sponsor:
    """Add a sponsor. Raises InvalidInput (name_ko, kind), Conflict (sponsor_exists) for a name that is there."""
    fields: dict[str, str] = {}
    if not 0 < len(name_ko.strip()) <= 120:
        fields["name_ko"] = _("Give it a name of at most 120 characters.")
    if len(name_en.strip()) > 120:
        fields["name_en"] = _("Give it a name of at most 120 characters.")
    if kind not in Sponsor.Kind.values:
        fields["kind"] = _("There is no such kind of sponsor.")
    if fields:
        raise InvalidInput(fields)
    try:
        with transaction.atomic():
            sponsor = Sponsor.objects.create(name_ko=name_ko.strip(), name_en=name_en.strip(), kind=kind)
    except IntegrityError as error:
        raise Conflict(_("There is a sponsor of this name already."), code="sponsor_exists") from error
    audit.record(actor=actor, verb="quota.sponsor_added", target=sponsor)
    return sponsor
