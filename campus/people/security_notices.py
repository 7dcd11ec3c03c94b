"""Telling a person what happened to their ways of signing in, as allauth signals it. Nobody can turn this off."""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.db import transaction
from django.dispatch import Signal
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.services import notify
from campus.core.notices.topics import Topic, register_topics

TOPIC = "account.security"
_TEXT = _("If that was not you, change your password at once and tell the campus.")


def _kind(title: Any) -> NoticeKind:
    return NoticeKind(title, _TEXT, icon="shield-alert", tone="warn", topic=TOPIC)


KINDS = {
    "people.password_changed": _kind(_("Your password was changed")),
    "people.email_changed": _kind(_("Your e-mail address was changed")),
    "people.authenticator_added": _kind(_("A passkey or one-time codes were added to your account")),
    "people.authenticator_removed": _kind(_("A passkey or one-time codes were removed from your account")),
}

_WHEN: tuple[tuple[Signal, str], ...] = (
    (account.password_changed, "people.password_changed"),
    (account.password_set, "people.password_changed"),
    (account.password_reset, "people.password_changed"),
    (account.email_changed, "people.email_changed"),
    (mfa.authenticator_added, "people.authenticator_added"),
    (mfa.authenticator_removed, "people.authenticator_removed"),
)


def listen() -> None:
    """Register the kinds, and tell at each of allauth's signals."""
    register_topics({TOPIC: Topic(_("Changes to how you sign in"), "account", must=True)})
    register(KINDS)
    for signal, kind in _WHEN:
        signal.connect(_teller(kind), weak=False, dispatch_uid=f"notice:{kind}:{id(signal)}")


def _teller(kind: str) -> Any:
    def tell(*, user: Any, **_kwargs: Any) -> None:
        with transaction.atomic():
            notify(recipient_ids=[user.pk], kind=kind, url=reverse("people:profile"))

    return tell
