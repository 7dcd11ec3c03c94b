"""Correcting what a job was charged: a line of the ledger of its own, seen before it is written."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from campus.core.errors import CampusError
from campus.core.form_errors import add_service_error
from campus.people.access import standing_of
from labs.jobs.access import get_job_to_correct
from labs.jobs.models import Job
from labs.jobs.services import correct_charge
from labs.jobs.services.corrections import AttemptCharge, attempt_charges
from labs.quota.api import ledger_of_job


class CorrectForm(forms.Form):
    """What an attempt should stay charged, and why. `seen_s` is what its page showed."""

    attempt = forms.TypedChoiceField(label=gettext_lazy("Attempt"), coerce=int)
    seen_s = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    charged_s = forms.IntegerField(
        label=gettext_lazy("Should stay charged, GPU-seconds"), min_value=0,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, required=False,
        help_text=gettext_lazy("The ledger shows it, to the learner too."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, charges: list[AttemptCharge], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["attempt"]
        field.choices = [(charge.attempt, charge.attempt) for charge in charges]
        if len(charges) == 1:
            field.widget = forms.HiddenInput()


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show what each attempt stays charged; preview a correction; write it."""
    job = get_job_to_correct(standing_of(request.user), job_id)
    charges = attempt_charges(job.pk)
    chosen = next(
        (c for c in charges if str(c.attempt) == request.GET.get("attempt")), charges[-1] if charges else None
    )
    initial = {"attempt": chosen.attempt, "seen_s": chosen.net_s, "charged_s": chosen.net_s} if chosen else {}
    form = CorrectForm(request.POST or None, initial=initial, charges=charges)
    context: dict[str, Any] = {
        "job": job, "form": form, "charges": charges, "chosen": chosen, "ledger": ledger_of_job(job.pk),
    }  # fmt: skip
    if request.method == "POST" and form.is_valid():
        context["chosen"] = next(c for c in charges if c.attempt == form.cleaned_data["attempt"])
        if "preview" in request.POST:
            context["preview"] = _previewed(job, form, context["chosen"])
        elif _corrected(request, job, form):
            return redirect("jobs:job", job.pk)
    return render(request, "jobs/correct.html", context, status=400 if form.errors else 200)


def _previewed(job: Job, form: CorrectForm, charge: AttemptCharge) -> dict[str, Any] | None:
    """Say which line would be written and what would be left, or put what is wrong on the form."""
    wished: int = form.cleaned_data["charged_s"]
    if wished > charge.held_s:
        text = _("A charge lies between nothing and what was held, %(most)s GPU-seconds.")
        form.add_error("charged_s", text % {"most": charge.held_s})
        return None
    if wished == charge.net_s:
        form.add_error("charged_s", _("That is what it is charged already."))
        return None
    more_s, left_s = wished - charge.net_s, job.account.available_s
    return {
        "is_debit": more_s > 0, "line_s": abs(more_s), "before_s": charge.net_s, "after_s": wished,
        "left_before_s": left_s, "left_after_s": left_s - more_s, "is_short": left_s < more_s,
    }  # fmt: skip


def _corrected(request: HttpRequest, job: Job, form: CorrectForm) -> bool:
    given = form.cleaned_data
    try:
        entry = correct_charge(
            job_id=job.pk, attempt=given["attempt"], seen_s=given["seen_s"], charged_s=given["charged_s"],
            reason=given["reason"], actor=request.user,
        )  # fmt: skip
    except CampusError as error:
        add_service_error(form, error)
        return False
    texts = {"kind": entry.get_kind_display(), "seconds": entry.gpu_seconds}
    messages.success(request, _("Corrected by a line of its own: %(kind)s, %(seconds)s GPU-seconds.") % texts)
    return True
