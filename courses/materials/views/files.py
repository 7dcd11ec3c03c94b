"""A version's file, by ranges, and its captions as WebVTT."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET, require_safe

from campus.core.errors import NotFound
from campus.people.requests import SignedInRequest
from courses.materials.access import get_version_for
from courses.materials.domain import webvtt
from courses.materials.models import CaptionTrack, Material
from courses.materials.previews import inline_type
from courses.materials.services.watching import open_version
from courses.materials.serving import file_response


@require_safe
def file(request: SignedInRequest, material_id: int, number: int) -> HttpResponseBase:
    """Send a version's file: a video to its player, anything else as a download, with `?shown=1` shown if it may be."""
    version, access = get_version_for(request.user, material_id, number)
    if version.material.kind == Material.Kind.VIDEO:
        is_download = "download" in request.GET
        return file_response(request, version, media_type=version.media_type, is_shown=not is_download)
    media_type = inline_type(version) if "shown" in request.GET else ""
    response = file_response(request, version, media_type=media_type, is_shown=bool(media_type))
    # A picture on the material's own page was not opened by anybody yet.
    if request.method == "GET" and "preview" not in request.GET:
        open_version(version=version, enrolment=access.enrolment)
    return response


@require_GET
def captions(request: SignedInRequest, material_id: int, number: int, language: str) -> HttpResponse:
    """Send captions, written anew from what was read of the upload."""
    version, _access = get_version_for(request.user, material_id, number)
    track = CaptionTrack.objects.filter(version=version, language=language).first()
    if track is None:
        raise NotFound
    response = HttpResponse(
        webvtt.write(webvtt.Cue(*cue) for cue in track.cues), content_type="text/vtt; charset=utf-8"
    )
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response
