"""Bytes on their way out, a part at a time: whatever the size of a file or a log, one part of it is in memory."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, StreamingHttpResponse

from .live_reads import log_after
from .models import Attempt

PART_BYTES = 256 * 1024


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
    response.streaming_content = _as_served(request, iter(partial(opened.read, PART_BYTES), b""))
    response["X-Content-Type-Options"] = "nosniff"
    return response


def log_response(request: Any, attempt: Attempt | None, *, start: int = 0) -> StreamingHttpResponse:
    """Answer with a log from byte `start` up to where it ends now; empty where there is none."""
    end = attempt.log_bytes if attempt is not None else 0
    parts = _log_parts(attempt.pk, start, end) if attempt is not None else iter(())
    response = StreamingHttpResponse(_as_served(request, parts), content_type="text/plain; charset=utf-8")
    # A learner's program wrote it: it must never be taken for a page of ours.
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _log_parts(attempt_id: int, start: int, end: int) -> Iterator[bytes]:
    while start < end and (part := log_after(attempt_id, start)[: end - start]):
        yield part
        start += len(part)


def _as_served(request: Any, parts: Iterator[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Under ASGI Django would make a list of all parts before it sends the first, so each is asked for in its turn."""
    return _in_turn(parts) if isinstance(getattr(request, "_request", request), ASGIRequest) else parts


async def _in_turn(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    while part := await sync_to_async(_next)(parts):
        yield part


def _next(parts: Iterator[bytes]) -> bytes:
    return next(parts, b"")
