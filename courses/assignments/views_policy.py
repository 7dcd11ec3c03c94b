"""What a course run does about late work: deductions, late days, time after an outage."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from campus.core.errors import InvalidInput
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.catalog.api import get_editable_run, get_run_for

from .authoring import apply_late_policy, set_late_days, set_outage_policy
from .forms_policy import policy_forms


@require_http_methods(["GET", "POST"])
def late_policy(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show and change the rules of a run."""
    access = get_editable_run(request.user, get_run_for(request.user, slug).run)
    what = request.POST.get("what", "")
    forms = policy_forms(access.run.pk, request.POST, what)
    form = forms.get(what)
    if form is not None and form.is_valid():
        try:
            messages.success(request, _save(what, access.run.pk, form.cleaned_data, request))
            return redirect("assignments:policy", slug)
        except InvalidInput as error:
            add_service_error(form, error)
    context = {"run": access.run, "forms": forms}
    return render(request, "assignments/policy.html", context, status=400 if request.method == "POST" else 200)


def _save(what: str, run_id: int, fields: dict[str, Any], request: SignedInRequest) -> str:
    """Save one of the forms and say what was done. Raises InvalidInput."""
    if what == "days":
        set_late_days(run_id=run_id, actor=request.user, **fields)
    elif what == "outage":
        set_outage_policy(run_id=run_id, fields=fields, actor=request.user)
    else:
        count = apply_late_policy(run_id=run_id, fields=fields, actor=request.user, now=timezone.now())
        return ngettext("%(n)d assignment changed.", "%(n)d assignments changed.", count) % {"n": count}
    return _("Saved.")
