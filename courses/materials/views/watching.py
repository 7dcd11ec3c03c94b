"""What players report."""

import json
from uuid import UUID

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campus.core.errors import InvalidInput
from campus.people.requests import SignedInRequest
from courses.materials.access import get_version_for
from courses.materials.domain.times import clock
from courses.materials.models import Material
from courses.materials.services.watching import finish_pct_of, report
from courses.materials.watching import as_json, bar_of

MOST_REPORT = 4_096


@require_POST
def watched(request: SignedInRequest, material_id: int, number: int) -> JsonResponse:
    """Take a report of a player, sent as a form so that a page that is closed can send it too."""
    version, access = get_version_for(request.user, material_id, number)
    if version.material.kind != Material.Kind.VIDEO:
        raise InvalidInput(message=_("Only videos are watched."))
    said, tab, count = _read(request.POST.get("report", ""))
    reported = report(
        version=version, enrolment=access.enrolment, tab=tab, number=count, said=said.get("intervals"),
        position_s=said.get("position"),
    )  # fmt: skip
    bar = bar_of(version, reported.credit, finish_pct_of(version.material))
    answer = as_json(bar)
    if reported.refused_ms:
        answer["refused"] = _("%(time)s of it did not count: it was reported faster than it can be watched.") % {
            "time": clock(reported.refused_ms)
        }
    return JsonResponse(answer)


def _read(text: str) -> tuple[dict[str, object], UUID, int]:
    try:
        said = json.loads(text) if len(text) <= MOST_REPORT else None
        tab, number = UUID(str(said["tab"])), said["number"]  # type: ignore[index]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidInput(message=_("This is no report of a player.")) from error
    if not isinstance(said, dict) or not isinstance(number, int) or not 0 <= number < 2**31:
        raise InvalidInput(message=_("This is no report of a player."))
    return said, tab, number
