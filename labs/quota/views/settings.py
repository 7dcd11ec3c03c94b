"""Changing an account's settings: weight, overcommit, and caps."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campus.core.errors import InvalidInput
from campus.core.form_errors import add_service_error
from campus.people.access import standing_of
from labs.quota.access import get_account_to_allocate
from labs.quota.forms_settings import SettingsForm
from labs.quota.services import change_account


@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, account_id: int) -> HttpResponse:
    """Show the settings, or change them; each change keeps its reason in the audit trail and can be undone."""
    found = get_account_to_allocate(standing_of(request.user), account_id)
    form = SettingsForm(request.POST or None, account=found)
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            change_account(
                account_id=found.pk, settings=form.changed_settings(), reason=form.cleaned_data["reason"], actor=actor
            )
        except InvalidInput as error:
            add_service_error(form, form.named(error))
        else:
            messages.success(request, _("The settings of “%(name)s” are changed.") % {"name": found.name})
            return redirect(f"{redirect('quota:account', found.pk).url}?tab=grants")
    return render(request, "quota/settings.html", {"account": found, "form": form})
