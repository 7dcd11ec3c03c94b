"""Watching a class from elsewhere: the page that counts, and its heartbeats."""

import uuid

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campus.core.errors import InvalidInput
from campus.people.requests import SignedInRequest
from courses.attendance import selectors
from courses.attendance.access import get_own_session
from courses.attendance.models import StreamWatch
from courses.attendance.services.streaming import hear
from courses.attendance.words import class_time


@require_GET
def watch(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Show the stream's address, and how much of the class was watched. Opening it counts for nothing."""
    access, enrolment = get_own_session(request.user, session_id)
    context = {
        "session": access.session,
        "when": class_time(access.session.starts_at, access.session.ends_at),
        "enrolment": enrolment,
        "tab": uuid.uuid4(),
        "minutes": _minutes(session_id, enrolment.pk),
        "verdict": selectors.verdict_of(enrolment.pk, session_id),
    }
    return render(request, "attendance/watch.html", context)


@require_POST
def beat(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Take a heartbeat of the page, or its last word."""
    access, enrolment = get_own_session(request.user, session_id)
    try:
        tab = uuid.UUID(request.POST.get("tab", ""))
    except ValueError as error:
        raise InvalidInput({"tab": _("This is no page of the stream.")}) from error
    hear(
        session=access.session, enrolment=enrolment, tab=tab, is_leaving=request.POST.get("leave") == "yes",
        now=timezone.now(),
    )  # fmt: skip
    return JsonResponse({"minutes": _minutes(session_id, enrolment.pk)})


def _minutes(session_id: int, enrolment_id: int) -> int:
    """Whole minutes so far: what the verdict counts, and what the open pages watched since."""
    open_s = sum(
        (row.seen_at - row.since).total_seconds()
        for row in StreamWatch.objects.filter(session=session_id, enrolment=enrolment_id)[:1]
    )
    return selectors.verdict_of(enrolment_id, session_id).minutes + int(open_s // 60)
