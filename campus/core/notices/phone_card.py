"""The card of one's phone number on the page of notice choices: its two forms and what it shows."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from campus.core.models import NoticeSettings

from .domain import codes, numbers
from .phone_codes import code_ways, open_check
from .phones import phone_topics


class PhoneForm(forms.Form):
    phone = forms.CharField(
        label=gettext_lazy("Phone number"), max_length=24,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        help_text=gettext_lazy("A code is sent there. Other messages come only once you typed it in here."),
    )  # fmt: skip


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code from the message"), max_length=12,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "7", "class": "mono"}
        ),
        help_text=gettext_lazy("Six digits."),
    )  # fmt: skip


def phone_card(user_id: int, **forms_: forms.Form) -> dict[str, Any] | None:
    """Return what the card of the phone shows; None where no provider can send a code. Two queries."""
    if not (phone_topics() and code_ways()):
        return None
    kept = NoticeSettings.objects.filter(user_id=user_id).first() or NoticeSettings()
    waiting = open_check(user_id, timezone.now())
    return {
        "number": numbers.shown(kept.phone),
        "verified_at": kept.phone_verified_at,
        "waiting_for": numbers.shown(waiting.phone) if waiting else "",
        "until": waiting.sent_at + codes.LIFE if waiting else None,
        "phone_form": PhoneForm(auto_id="phone_%s"),
        "code_form": CodeForm(auto_id="phone_%s"),
        **forms_,
    }
