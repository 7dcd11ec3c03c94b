"""Artifacts and logs on their way out, a part at a time."""

from collections.abc import Iterator
from functools import partial
from typing import IO, Any

from django.http import FileResponse, StreamingHttpResponse

from campus.core.streaming import PART_BYTES, as_served

from .live_reads import log_after
from .models import Attempt


def file_response(
    request: Any, opened: IO[bytes], *, filename: str, content_type: str = "", is_shown: bool = False
) -> FileResponse:
    """Answer with a file, as a download unless `is_shown`. Nobody takes it for anything but `content_type`."""
    response = FileResponse(
        opened,
        as_attachment=not is_shown,
        filename=filename,
        content_type=content_type or "application/octet-stream",
    )
    response.streaming_content = as_served(request, iter(partial(opened.read, PART_BYTES), b""))
    response["X-Content-Type-Options"] = "nosniff"
    return response


def log_response(request: Any, attempt: Attempt | None, *, start: int = 0) -> StreamingHttpResponse:
    """Answer with a log from byte `start` up to where it ends now; empty where there is none."""
    end = attempt.log_bytes if attempt is not None else 0
    parts = _log_parts(attempt.pk, start, end) if attempt is not None else iter(())
    response = StreamingHttpResponse(as_served(request, parts), content_type="text/plain; charset=utf-8")
    # A learner's program wrote it: it must never be taken for a page of ours.
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _log_parts(attempt_id: int, start: int, end: int) -> Iterator[bytes]:
    while start < end and (part := log_after(attempt_id, start)[: end - start]):
        yield part
        start += len(part)
