"""What a job left, as bytes: its log and its artifacts."""

from collections.abc import AsyncIterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campus.core.errors import NotFound
from campus.people.access import standing_of
from labs.jobs.access import get_job_for
from labs.jobs.models import Artifact, LogChunk
from labs.jobs.previews import inline_type

_CHUNK = 256 * 1024


@require_GET
def log(request: HttpRequest, job_id: int) -> HttpResponse:
    """Download the log of the last attempt, or of `?attempt=N`; whole, since LABS_LOG_MAX_BYTES bounds it."""
    shown = get_job_for(standing_of(request.user), job_id)
    attempts = shown.attempts.order_by("-number")
    if (number := request.GET.get("attempt", "")).isdecimal() and len(number) < 5:
        attempts = attempts.filter(number=int(number))
    attempt = attempts.first()
    if attempt is None:
        raise NotFound(_("This job has no log yet: it has not started."))
    chunks = LogChunk.objects.filter(attempt=attempt).order_by("start").values_list("content", flat=True)
    response = HttpResponse(b"".join(bytes(one) for one in chunks), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="job-{shown.pk}-{attempt.number}.log"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_GET
def artifact(request: HttpRequest, job_id: int, artifact_id: int) -> FileResponse:
    """Download an artifact. With `?preview=1` pictures are shown inline; nothing else ever is."""
    shown = get_job_for(standing_of(request.user), job_id)
    published = Artifact.objects.filter(attempt__job=shown, is_published=True)
    found = published.filter(pk=artifact_id).first() if artifact_id < 2**63 else None
    if found is None:
        raise NotFound
    content_type = inline_type(found) if "preview" in request.GET else None
    opened = found.file.open("rb")
    response = FileResponse(
        opened,
        as_attachment=content_type is None,
        filename=found.path.rsplit("/", 1)[-1],
        content_type=content_type or "application/octet-stream",
    )
    if isinstance(request, ASGIRequest):  # else Django would read the whole file into memory first
        response.streaming_content = _read(opened)
    # What a learner's program wrote must never run as a page of ours.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _read(opened: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await sync_to_async(opened.read)(_CHUNK):
        yield chunk
