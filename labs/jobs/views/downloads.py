"""What a job left, as bytes: its log and its artifacts."""

from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campus.core.errors import NotFound
from campus.people.access import standing_of
from labs.jobs.access import get_job_for
from labs.jobs.models import Artifact
from labs.jobs.previews import inline_type
from labs.jobs.streaming import file_response, log_response


@require_GET
def log(request: HttpRequest, job_id: int) -> StreamingHttpResponse:
    """Download the log of the last attempt, or of `?attempt=N`."""
    shown = get_job_for(standing_of(request.user), job_id)
    attempts = shown.attempts.order_by("-number")
    if (number := request.GET.get("attempt", "")).isdecimal() and len(number) < 5:
        attempts = attempts.filter(number=int(number))
    attempt = attempts.first()
    if attempt is None:
        raise NotFound(_("This job has no log yet: it has not started."))
    response = log_response(request, attempt)
    response["Content-Disposition"] = f'attachment; filename="job-{shown.pk}-{attempt.number}.log"'
    return response


@require_GET
def artifact(request: HttpRequest, job_id: int, artifact_id: int) -> FileResponse:
    """Download an artifact. With `?preview=1` pictures are shown inline; nothing else ever is."""
    shown = get_job_for(standing_of(request.user), job_id)
    published = Artifact.objects.filter(attempt__job=shown, is_published=True)
    found = published.filter(pk=artifact_id).first() if artifact_id < 2**63 else None
    if found is None:
        raise NotFound
    picture = inline_type(found) if "preview" in request.GET else None
    name = found.path.rsplit("/", 1)[-1]
    response = file_response(
        request, found.file.open("rb"), filename=name, content_type=picture or "", is_shown=picture is not None
    )
    # What a learner's program wrote must never run as a page of ours.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
