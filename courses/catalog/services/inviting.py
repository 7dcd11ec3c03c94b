"""Inviting people once more whose invitation has expired, or got lost."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, NotAllowed, NotFound
from campus.people.models import User
from courses.catalog.access import may_enrol_others
from courses.catalog.invitations import INVITED, waiting_in
from courses.catalog.models import Cohort
from courses.catalog.tasks import send_invitations

REST = timedelta(minutes=10)
"""How long one person is left in peace."""


@transaction.atomic
def invite_again(*, cohort_id: int, user_id: int | None = None, actor: User, site_url: str) -> int:
    """Invite those of the cohort whose invitation has expired, or one person, and return how many.

    Pressed twice it sends once: the cohort is locked, and who was just invited is not invited again.
    Raises NotFound, NotAllowed, Conflict (needs none, or got one a moment ago; nobody's has expired).
    """
    cohort = Cohort.objects.select_for_update(of=("self",)).select_related("scope").filter(pk=cohort_id).first()
    if cohort is None:
        raise NotFound
    if not may_enrol_others(actor, cohort):
        raise NotAllowed
    now = database_now()
    waiting = waiting_in(cohort, now)
    if user_id is None:
        chosen = [pk for pk, invitation in waiting.items() if invitation.is_expired]
        if not chosen:
            raise Conflict(_("No invitation has expired."))
    elif user_id not in waiting:
        raise Conflict(_("This person needs no invitation: they have signed in, or are not in this cohort."))
    elif waiting[user_id].at + REST > now:
        words = _("The last invitation went out %(minutes)d minutes ago or less. Let it arrive first.")
        raise Conflict(words % {"minutes": REST.total_seconds() // 60})
    else:
        chosen = [user_id]
    for user in User.objects.filter(pk__in=chosen).order_by("pk"):
        audit.record(actor=actor, verb=INVITED, target=user, subject=user, scope_path=cohort.scope.path)
    transaction.on_commit(lambda: send_invitations.delay(chosen, site_url), robust=True)
    return len(chosen)
