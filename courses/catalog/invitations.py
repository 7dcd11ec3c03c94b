"""Inviting people who were put on a class list: a mail in their language, with a link to choose a password."""

from collections.abc import Sequence

from allauth.account import app_settings as allauth_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from campus.people.models import User

from .models import Enrolment


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
