"""What waits for staff: flags to judge, excuses and contests to answer."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campus.core.errors import InvalidInput, NotFound
from campus.people.api import standing_of
from campus.people.requests import SignedInRequest
from courses.attendance import desk as desks
from courses.attendance.access import get_mark_for_staff
from courses.attendance.forms import GIVEN
from courses.attendance.models import Contest, Excuse, Flag
from courses.attendance.services import asking, flagging


@require_GET
def desk(request: SignedInRequest) -> HttpResponse:
    """Show staff what waits, oldest first, and the classes of today; others are led to their own attendance."""
    standing = standing_of(request.user)
    if not standing.is_teaching:
        return redirect("attendance:mine")
    context = {"desk": desks.desk(standing, timezone.now()), "marks": GIVEN}
    return render(request, "attendance/desk.html", context)


@require_POST
def judge(request: SignedInRequest, flag_id: int) -> HttpResponse:
    """Decide a flag."""
    flag = _found(Flag.objects.select_related("evidence"), flag_id)
    get_mark_for_staff(request.user, flag.evidence.enrolment_id, flag.evidence.session_id)
    verdict = request.POST.get("verdict")
    if verdict not in ("harmless", "void"):
        raise InvalidInput({"verdict": _("Choose what it was.")})
    try:
        flagging.judge_flag(
            flag_id=flag_id, is_harmless=verdict == "harmless", note=request.POST.get("note", ""), actor=request.user,
            now=timezone.now(),
        )  # fmt: skip
    except InvalidInput as error:
        return _refused(request, error)
    messages.success(request, _("Judged. The learner reads your reason."))
    return _back(request)


@require_POST
def decide_excuse(request: SignedInRequest, excuse_id: int) -> HttpResponse:
    """Grant or refuse an excuse."""
    found = _found(Excuse.objects.select_related("session", "enrolment__user", "enrolment__cohort__scope"), excuse_id)
    get_mark_for_staff(request.user, found.enrolment_id, found.session_id)
    if request.POST.get("decision") not in ("grant", "refuse"):
        raise InvalidInput({"decision": _("Grant it or refuse it.")})
    try:
        asking.decide_excuse(
            excuse=found, is_granted=request.POST["decision"] == "grant", answer=request.POST.get("answer", ""),
            actor=request.user, now=timezone.now(),
        )  # fmt: skip
    except InvalidInput as error:
        return _refused(request, error)
    messages.success(request, _("Answered. The learner is told."))
    return _back(request)


@require_POST
def decide_contest(request: SignedInRequest, contest_id: int) -> HttpResponse:
    """Keep a mark that is disputed, or put another in its place."""
    found = _found(Contest.objects.select_related("session", "enrolment__user", "enrolment__cohort__scope"), contest_id)
    get_mark_for_staff(request.user, found.enrolment_id, found.session_id)
    try:
        asking.decide_contest(
            contest=found, mark=request.POST.get("mark", ""), answer=request.POST.get("answer", ""),
            actor=request.user, now=timezone.now(),
        )  # fmt: skip
    except InvalidInput as error:
        return _refused(request, error)
    messages.success(request, _("Answered. The learner is told."))
    return _back(request)


def _found(rows: Any, pk: int) -> Any:
    row = rows.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound
    return row


def _refused(request: SignedInRequest, error: InvalidInput) -> HttpResponse:
    """One sentence is all that these forms ask for: it is asked for again above the list."""
    messages.error(request, str(next(iter(error.fields.values()))[0]))
    return _back(request)


def _back(request: SignedInRequest) -> HttpResponse:
    """To the page on which it was decided."""
    asked = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(asked)
    return redirect(reverse("attendance:desk"))
