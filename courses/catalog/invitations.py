"""Inviting people who were put on a class list: a mail in their language, with a link to choose a password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account import app_settings as allauth_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.mail import EmailMessage, get_connection
from django.db.models import Max
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from campus.core.models import AuditEntry
from campus.people.models import User

from .models import Cohort, Enrolment

INVITED = "person.invited"


@dataclass(frozen=True)
class Invitation:
    """When somebody was last invited who has not come yet; `is_expired` when its link no longer works."""

    at: datetime
    is_expired: bool


def waiting_in(cohort: Cohort, now: datetime) -> dict[int, Invitation]:
    """Return the enrolled who were invited and have neither a password nor signed in, by person. One query."""
    enrolled = Enrolment.objects.filter(
        cohort=cohort, state=Enrolment.State.ACTIVE, user__is_active=True, user__last_login=None,
        user__password__startswith=UNUSABLE_PASSWORD_PREFIX,
    )  # fmt: skip
    sent = AuditEntry.objects.filter(verb=INVITED, subject__in=enrolled.values("user_id"))
    good_for = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    rows = sent.order_by().values_list("subject_id").annotate(last=Max("at"))
    return {user_id: Invitation(last, last + good_for < now) for user_id, last in rows}


def invite(*, user_ids: Sequence[int], site_url: str) -> int:
    """Send the mails and return how many went; people who have a password by now are left out.

    The link is allauth's password reset, so that it ends as every reset does, and is good once.
    """
    people = [user for user in User.objects.filter(pk__in=user_ids, is_active=True) if not user.has_usable_password()]
    places = Enrolment.objects.select_related("run__course", "run__term").filter(
        user__in=people, state=Enrolment.State.ACTIVE
    )
    run_of = {place.user_id: place.run for place in places.order_by("id")}
    messages = []
    for user in people:
        with translation.override(user.language):
            context = {
                "person": user,
                "run": run_of.get(user.pk),
                "url": site_url.rstrip("/") + _reset_path(user),
                "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
            }
            subject = render_to_string("catalog/mail/invitation_subject.txt", context).strip()
            body = render_to_string("catalog/mail/invitation.txt", context)
        messages.append(EmailMessage(subject, body, to=[user.email]))
    return get_connection().send_messages(messages) or 0 if messages else 0


def _reset_path(user: User) -> str:
    token = allauth_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": token})
