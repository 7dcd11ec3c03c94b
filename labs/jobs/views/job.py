"""One job: its page, cancelling it, running it again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import OverQuota
from campus.core.formats import gpu_hours
from campus.people.access import standing_of
from labs.jobs.access import get_job_for, get_job_to_cancel, get_own_job, may_cancel, may_correct
from labs.jobs.job_page import Metrics, live_context, log_head, metrics_of, run_before
from labs.jobs.services import cancel as cancel_job
from labs.jobs.services import rerun as rerun_job
from labs.jobs.uploads import shown_bundle


@require_GET
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show a job; `?part=live` gives what changes while it runs, for the page to swap in."""
    standing = standing_of(request.user)
    shown = get_job_for(standing, job_id)
    context = live_context(shown) | {
        "is_owner": shown.owner_id == request.user.pk,
        "may_cancel": shown.is_open and shown.cancel_requested_at is None and may_cancel(standing, shown),
        "may_correct": not shown.is_open and may_correct(standing, shown),
    }
    if request.GET.get("part") == "live":
        return render(request, "jobs/_live.html", context)
    attempt = context["attempt"]
    head = log_head(attempt) if attempt else b""
    context |= {
        "log_head": head,
        "log_closed": not shown.is_open and attempt is not None and len(head) >= attempt.log_bytes,
        "log_rest": attempt.log_bytes - len(head) if attempt and not shown.is_open else 0,
        "metrics": metrics_of(attempt) if attempt else Metrics([], 0),
        "source": shown_bundle(shown.source.files),
        "data_sets": shown.data_sets.all(),
        "before": run_before(shown),
    }
    return render(request, "jobs/job.html", context)


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Ask once, then cancel."""
    shown = get_job_to_cancel(standing_of(request.user), job_id)
    if request.method == "POST":
        cancel_job(job_id=shown.pk, actor=request.user)
        messages.success(request, _("The job is being cancelled. Only the time it ran is charged."))
        return redirect("jobs:job", job_id)
    context = {
        "title": _("Cancel this job?"),
        "text": _("#%(id)d %(title)s stops. Its log stays; only the time it ran is charged.")
        % {"id": shown.pk, "title": shown.title},
        "label": _("Cancel the job"),
        "cancel_url": reverse("jobs:job", args=[shown.pk]),
        "tone": "danger",
    }
    return render(request, "core/confirm.html", context)


@require_http_methods(["GET", "POST"])
def rerun(request: HttpRequest, job_id: int) -> HttpResponse:
    """Run the same code again, as a new job. Short of GPU time, the form opens with it, where less can be asked for."""
    shown = get_own_job(standing_of(request.user), job_id)
    if request.method == "POST":
        try:
            return redirect("jobs:job", rerun_job(job_id=shown.pk, actor=request.user).pk)
        except OverQuota as shortage:
            messages.error(request, str(shortage.message))
            return redirect(f"{reverse('jobs:new')}?from={shown.pk}")
    context = {
        "title": _("Run it again?"),
        "text": _("A new job with the same code and settings. It holds %(held)s until it ends.")
        % {"held": gpu_hours(shown.hold_s)},
        "label": _("Run again"),
        "cancel_url": reverse("jobs:job", args=[shown.pk]),
        "tone": "primary",
    }
    return render(request, "core/confirm.html", context)
