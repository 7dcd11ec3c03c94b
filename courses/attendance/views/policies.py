"""A course run's attendance policy: reading it, changing it after seeing what would change."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campus.core.errors import CampusError, NotAllowed
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.attendance import words
from courses.attendance.access import get_policy_for
from courses.attendance.domain.rules import as_json
from courses.attendance.forms import PolicyForm
from courses.attendance.models import Policy
from courses.attendance.services import policies
from courses.attendance.standings import newest_rules
from courses.catalog.models import CourseRun, Enrolment

SHOWN_CHANGES = 30


@require_http_methods(["GET", "POST"])
def policy(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show the rules and their versions; preview a change, and save it."""
    access = get_policy_for(request.user, slug)
    run, now = access.run, timezone.now()
    version, rules = newest_rules([run.pk])[run.pk]
    form = PolicyForm(request.POST or None, initial={**as_json(rules), "version": version})
    context = {
        "run": run,
        "may_edit": access.may_edit,
        "version": version,
        "sentences": words.rule_sentences(rules),
        "versions": list(Policy.objects.filter(run=run).select_related("made_by").order_by("-version")),
    }
    if request.method == "POST":
        if not access.may_edit:
            raise NotAllowed
        if form.is_valid():
            try:
                if "save" in request.POST:
                    policies.save_policy(
                        run=run, said=form.rules(), reason=form.cleaned_data["reason"],
                        seen_version=form.cleaned_data["version"], actor=request.user, now=now,
                    )  # fmt: skip
                    messages.success(request, _("Saved. Every mark was drawn anew."))
                    return redirect("attendance:policy", slug)
                context |= _previewed(run, form, now)
            except CampusError as error:
                add_service_error(form, error)
    return render(request, "attendance/policy.html", context | {"form": form}, status=400 if form.errors else 200)


def _previewed(run: CourseRun, form: PolicyForm, now: datetime) -> dict[str, Any]:
    found = policies.preview_policy(run=run, said=form.rules(), now=now)
    shown = found.changes[:SHOWN_CHANGES]
    people = Enrolment.objects.select_related("user").in_bulk([one.enrolment_id for one in shown])
    return {
        "preview": found,
        "changes": [(people[one.enrolment_id], one) for one in shown],
        "more": len(found.changes) - len(shown),
    }
