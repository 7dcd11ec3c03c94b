"""A material's page: the player, the notebook or the file, as the reader may have it."""

from typing import Any
from urllib.parse import urlsplit

from csp.constants import SELF
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from campus.people.requests import SignedInRequest
from courses.catalog.api import RunAccess
from courses.content.api import render as render_markdown
from courses.materials.access import followed_by, get_material_for, newest_version, require_readable
from courses.materials.domain.times import clock
from courses.materials.models import Material, MaterialVersion, Opening, WatchCredit
from courses.materials.notebook_page import cells_of
from courses.materials.previews import preview_of
from courses.materials.services.watching import finish_pct_of, open_version
from courses.materials.watching import bar_of, transcript_of, watchers_html

SPEEDS = ("0.75", "1", "1.25", "1.5", "1.75", "2")


@require_GET
def material(request: SignedInRequest, material_id: int) -> HttpResponse:
    """Show a material."""
    shown, access = get_material_for(request.user, material_id)
    if access.is_staff and request.GET.get("as") == "learner":
        access = access.as_learner()
        require_readable(access, shown)
    version = newest_version(shown)
    context: dict[str, Any] = {
        "material": shown,
        "access": access,
        "run": access.run,
        "version": version,
        "html": mark_safe(render_markdown(shown.description)),  # noqa: S308 - sanitised by an allow-list
    }
    if version is None:
        return render(request, "materials/material.html", context)
    if shown.kind == Material.Kind.VIDEO:
        return _video(request, shown, version, access, context)
    if shown.kind == Material.Kind.NOTEBOOK:
        open_version(version=version, enrolment=access.enrolment)
        context["cells"] = cells_of(version)
    else:
        context["preview"] = preview_of(version)
    if access.enrolment is not None:
        context["opening"] = Opening.objects.filter(version=version, enrolment=access.enrolment).first()
    return render(request, "materials/material.html", context)


def _video(
    request: SignedInRequest, shown: Material, version: MaterialVersion, access: RunAccess, context: dict[str, Any]
) -> HttpResponse:
    mine = access.enrolment
    credit = WatchCredit.objects.filter(version=version, enrolment=mine).first() if mine else None
    finish_pct = finish_pct_of(shown)
    tracks, chapters = list(version.captions.all()), list(version.chapters.all())
    wanted = request.GET.get("transcript") or get_language()
    track = next((one for one in tracks if one.language == wanted), tracks[0] if tracks else None)
    begin_s = _begin_s(request, version, credit)
    asked = "t" in request.GET
    context |= {
        "tracks": tracks,
        "track": track,
        "chapters": transcript_of([[one.at_ms, one.at_ms, one.title] for one in chapters], []),
        "lines": transcript_of(track.cues, chapters) if track else [],
        "speeds": SPEEDS,
        "finish_pct": finish_pct,
        "bar": bar_of(version, credit, finish_pct) if mine else None,
        "counts": mine is not None and mine.state == mine.State.ACTIVE,
        "resume_s": f"{begin_s:.3f}" if begin_s and not asked else "",
        "resume_clock": clock(round(begin_s * 1000)),
        "begin_s": begin_s,
        "fragment": f"#t={begin_s:.3f}" if begin_s else "",
        "watchers": watchers_html(version, list(followed_by(access))) if access.taught else "",
    }
    response = render(request, "materials/material.html", context)
    if version.hls_url:  # its parts are fetched from its host and played from a blob; its worker is a file of ours
        origin = "https://" + urlsplit(version.hls_url).netloc.lower()
        response._csp_update = {"media-src": [SELF, "blob:", origin], "connect-src": [origin]}  # type: ignore[attr-defined]
    return response


def _begin_s(request: SignedInRequest, version: MaterialVersion, credit: WatchCredit | None) -> float:
    """Where to begin: as the address asks (`?t=12.5`), else where one left off; who stopped at the end begins anew."""
    duration_ms = version.duration_ms or 0
    asked = request.GET.get("t", "")
    if asked:
        is_time = len(asked) <= 12 and asked.replace(".", "", 1).isdecimal() and asked.isascii()
        return min(float(asked), duration_ms / 1000) if is_time else 0.0
    position = credit.position_ms if credit else 0
    return position / 1000 if 3_000 < position < duration_ms - 5_000 else 0.0
