"""One job: its page, cancelling it, running it again, its log and its artifacts."""

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import NotFound
from campus.people.access import standing_of
from labs.jobs.access import get_job_for, get_job_to_cancel, get_own_job, may_cancel
from labs.jobs.models import Artifact, Attempt, Job, JobEvent, LogChunk
from labs.jobs.previews import inline_type, preview_of
from labs.jobs.services import cancel as cancel_job
from labs.jobs.services import rerun as rerun_job
from labs.quota.api import ledger_of_job

LOG_FIRST_BYTES = 256 * 1024  # what the page itself carries; the rest comes by the websocket


@require_GET
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show a job; `?part=live` gives what changes while it runs, for the page to swap in."""
    standing = standing_of(request.user)
    shown = get_job_for(standing, job_id)
    context = _live_context(shown)
    context |= {
        "is_owner": shown.owner_id == request.user.pk,
        "may_cancel": shown.is_open and may_cancel(standing, shown),
    }
    if request.GET.get("part") == "live":
        return render(request, "jobs/_live.html", context)
    attempt = context["attempt"]
    head = _log_head(attempt) if attempt else b""
    context |= {
        "log_head": head,
        "log_closed": not shown.is_open and attempt is not None and len(head) >= attempt.log_bytes,
        "points": list(attempt.metric_points.values_list("values", flat=True)[:4000]) if attempt else [],
        "points_seq": attempt.metric_points.count() if attempt else 0,
        "files": [{"path": path, "text": entry.get("text", "")} for path, entry in sorted(shown.source.files.items())],
        "data_sets": shown.data_sets.all(),
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
        "cancel_url": f"/jobs/{shown.pk}/",
        "tone": "danger",
    }
    return render(request, "core/confirm.html", context)


@require_http_methods(["GET", "POST"])
def rerun(request: HttpRequest, job_id: int) -> HttpResponse:
    """Run the same code again, as a new job."""
    shown = get_own_job(standing_of(request.user), job_id)
    if request.method == "POST":
        again = rerun_job(job_id=shown.pk, actor=request.user)
        return redirect("jobs:job", again.pk)
    context = {
        "title": _("Run it again?"),
        "text": _("A new job with the same code and settings. It holds %(seconds)d GPU-seconds until it ends.")
        % {"seconds": shown.hold_s},
        "label": _("Run again"),
        "cancel_url": f"/jobs/{shown.pk}/",
        "tone": "primary",
    }
    return render(request, "core/confirm.html", context)


@require_GET
def log(request: HttpRequest, job_id: int) -> StreamingHttpResponse:
    """Download the log of the last attempt, or of `?attempt=N`."""
    shown = get_job_for(standing_of(request.user), job_id)
    attempts = shown.attempts.order_by("-number")
    if (number := request.GET.get("attempt", "")).isdecimal() and len(number) < 6:
        attempts = attempts.filter(number=int(number))
    attempt = attempts.first()
    if attempt is None:
        raise NotFound(_("This job has no log yet: it has not started."))
    chunks = LogChunk.objects.filter(attempt=attempt).order_by("start").values_list("content", flat=True)
    response = StreamingHttpResponse((bytes(one) for one in list(chunks)), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="job-{shown.pk}-{attempt.number}.log"'
    return response


@require_GET
def artifact(request: HttpRequest, job_id: int, artifact_id: int) -> FileResponse:
    """Download an artifact. With `?preview=1` pictures are shown inline; nothing else ever is."""
    shown = get_job_for(standing_of(request.user), job_id)
    found = Artifact.objects.filter(pk=artifact_id, attempt__job=shown, is_published=True).first()
    if found is None:
        raise NotFound
    content_type = inline_type(found) if "preview" in request.GET else None
    name = found.path.rsplit("/", 1)[-1]
    response = FileResponse(
        found.file.open("rb"),
        as_attachment=content_type is None,
        filename=name,
        content_type=content_type or "application/octet-stream",
    )
    # What a learner's program wrote must never run as a page of ours.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _live_context(shown: Job) -> dict[str, Any]:
    attempts = list(
        shown.attempts.select_related("node").prefetch_related(
            Prefetch("artifacts", Artifact.objects.filter(is_published=True).order_by("path"))
        )
    )
    attempt = attempts[-1] if attempts else None
    artifacts = [{"artifact": one, "preview": preview_of(one)} for one in attempt.artifacts.all()] if attempt else []
    return {
        "job": shown,
        "attempts": attempts,
        "attempt": attempt,
        "artifacts": artifacts,
        "events": JobEvent.objects.filter(job=shown),
        "ledger": ledger_of_job(shown.pk),
        "lost_s": sum(one.lost_s for one in attempts),
    }


def _log_head(attempt: Attempt) -> bytes:
    """Return the first part of the log; the log viewer asks for what follows it."""
    content = bytearray()
    for chunk in LogChunk.objects.filter(attempt=attempt).order_by("start").values_list("content", flat=True):
        content += bytes(chunk)
        if len(content) >= LOG_FIRST_BYTES:
            break
    return bytes(content)
