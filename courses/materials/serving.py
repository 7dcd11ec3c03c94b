"""Stored files on their way out: whole, or the one byte range that a player asks for when it seeks (206, 416).

Django's FileResponse answers every request with the whole file. Here the file is opened, sought and sent a part at a
time, so that neither its size nor a range is ever in memory, under ASGI as well.
"""

from collections.abc import Iterator
from typing import IO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from campus.core.errors import NotFound
from campus.core.streaming import PART_BYTES, as_served

from .domain.files import PDF
from .domain.ranges import Part, Unsatisfiable, part_of
from .models import MaterialVersion

#: What somebody uploaded must never run as a page of ours.
_INERT = "default-src 'none'; sandbox"
#: Browsers refuse to draw a PDF in a sandbox; their viewers run nothing of it in our origin.
_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


def file_response(
    request: HttpRequest, version: MaterialVersion, *, media_type: str = "", is_shown: bool = False
) -> HttpResponseBase:
    """Answer with a version's file, as a download unless `is_shown` with `media_type`. Raises NotFound without one."""
    size, tag = version.size_bytes, f'"{version.sha256[:32]}"'
    if not version.file:
        raise NotFound
    try:
        part = part_of(_range(request, tag), size)
    except Unsatisfiable:
        response: HttpResponseBase = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        return _inert(response, tag, media_type)
    try:
        opened = version.file.open("rb")
    except OSError as error:
        raise NotFound from error
    sent = part or Part(0, size - 1)
    response = StreamingHttpResponse(
        as_served(request, _parts(opened, sent)),
        status=206 if part else 200,
        content_type=media_type if is_shown and media_type else "application/octet-stream",
    )
    response._resource_closers.append(opened.close)  # type: ignore[attr-defined]  # closed when a player leaves midway
    response["Content-Length"] = str(sent.size)
    if part:
        response["Content-Range"] = f"bytes {part.start}-{part.end}/{size}"
    response["Content-Disposition"] = content_disposition_header(not is_shown, version.name) or "attachment"
    return _inert(response, tag, media_type if is_shown else "")


def _range(request: HttpRequest, tag: str) -> str:
    """The range that is asked for; none where the asker has the start of another file (If-Range)."""
    if request.method != "GET" or request.headers.get("If-Range", tag) != tag:
        return ""
    return request.headers.get("Range", "")


def _parts(opened: IO[bytes], part: Part) -> Iterator[bytes]:
    with opened:
        opened.seek(part.start)
        left = part.size
        while left > 0 and (read := opened.read(min(PART_BYTES, left))):
            left -= len(read)
            yield read


def _inert(response: HttpResponseBase, tag: str, media_type: str) -> HttpResponseBase:
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = _PDF if media_type == PDF else _INERT
    return response
