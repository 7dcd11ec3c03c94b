"""The way from where GPU time ran short to the form that asks for more."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from campus.people.access import standing_of
from labs.quota.access_requests import may_ask
from labs.quota.models import Account

register = template.Library()

STEP_S = 360


@register.simple_tag(takes_context=True)
def ask_for_more(context: Context, shortage: Mapping[str, Any]) -> SafeString | str:
    """A button for who may ask for the account that is short; `shortage` are an OverQuota's facts. One query."""
    account = Account.objects.select_related("scope", "parent__scope").filter(pk=shortage["short_account_id"]).first()
    if account is None or not may_ask(standing_of(context["request"].user), account):
        return ""
    steps = -(-(shortage["wanted_s"] - shortage["available_s"]) // STEP_S)
    url = f"{reverse('quota:ask', args=[account.pk])}?hours={max(steps, 1) / 10:.1f}"
    return format_html('<p><a class="btn btn-sm" href="{}">{}</a></p>', url, _("Ask for more GPU time"))
