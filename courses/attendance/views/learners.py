"""A learner's attendance: the term, and one mark with its evidence, rule and history in words."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import CampusError, NotAllowed
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.attendance import selectors, words
from courses.attendance.access import LearnerAccess, get_learner_for, get_mark_for
from courses.attendance.forms import GIVEN, ContestForm, ExcuseForm, MarkForm
from courses.attendance.models import Contest, Excuse, Flag, Mark
from courses.attendance.services import marking
from courses.attendance.standings import newest_rules
from courses.timetable.models import ClassSession


@require_GET
def mine(request: SignedInRequest) -> HttpResponse:
    """Show one's own attendance in every course."""
    enrolments = selectors.my_enrolments(request.user.pk)
    now = timezone.now()
    context = {
        "terms": selectors.terms(enrolments, now),
        "open_now": selectors.open_now(enrolments, now),
        "is_own": True,
    }
    return render(request, "attendance/mine.html", context)


@require_GET
def learner(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Show a learner's term to the learner and to staff."""
    access = get_learner_for(request.user, enrolment_id)
    (term,) = selectors.terms([access.enrolment], timezone.now())
    context = {"term": term, "is_own": access.is_own, "access": access}
    return render(request, "attendance/learner.html", context)


@require_http_methods(["GET", "POST"])
def mark(request: SignedInRequest, enrolment_id: int, session_id: int) -> HttpResponse:
    """Show one mark and everything behind it; staff mark here, with a reason."""
    access, session = get_mark_for(request.user, enrolment_id, session_id)
    if request.method == "GET":
        return mark_page(request, access, session)
    if not access.is_staff:
        raise NotAllowed
    form = MarkForm(request.POST, auto_id="mark_%s")
    if form.is_valid():
        given = form.cleaned_data
        try:
            marking.mark(
                session=session, wishes=[marking.Wish(enrolment_id, given["revision"])], mark=given["mark"],
                reason=given["reason"], actor=request.user, cohort_ids=[access.enrolment.cohort_id],
                now=timezone.now(),
            )  # fmt: skip
        except CampusError as error:
            add_service_error(form, error)
        else:
            return redirect("attendance:mark", enrolment_id, session_id)
    return mark_page(request, access, session, mark_form=form, status=400)


def mark_page(
    request: SignedInRequest,
    access: LearnerAccess,
    session: ClassSession,
    *,
    mark_form: MarkForm | None = None,
    excuse_form: ExcuseForm | None = None,
    contest_form: ContestForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of one mark, with what could not be taken of a form."""
    enrolment = access.enrolment
    verdict = selectors.verdict_of(enrolment.pk, session.pk)
    version, rules = newest_rules([session.run_id])[session.run_id]
    length = selectors.length_min(session)
    excuses = Excuse.objects.filter(enrolment=enrolment, session=session).prefetch_related("documents")
    excuses = excuses.select_related("answered_by").order_by("-pk")
    contests = Contest.objects.filter(enrolment=enrolment, session=session).select_related("answered_by")
    context: dict[str, Any] = {
        "access": access,
        "enrolment": enrolment,
        "session": session,
        "when": words.class_time(session.starts_at, session.ends_at),
        "verdict": verdict,
        "length": length,
        "reasons": words.reasons(verdict, selectors.rules_at(verdict, rules), length),
        "version": verdict.policy.version if verdict.policy else version,
        "sentences": words.rule_sentences(selectors.rules_at(verdict, rules)),
        "evidence": selectors.evidence_steps(enrolment.pk, session.pk),
        "history": selectors.history_steps(verdict, length, rules) if verdict.pk else [],
        "excuses": list(excuses),
        "contests": list(contests.order_by("-pk")),
        "flags": _flags(enrolment.pk, session.pk) if access.is_staff else [],
        "marks": GIVEN,
        "mark_form": mark_form
        or MarkForm(auto_id="mark_%s", initial={"revision": verdict.revision, "mark": Mark.PRESENT}),
        "excuse_form": excuse_form or ExcuseForm(auto_id="excuse_%s"),
        "contest_form": contest_form or ContestForm(auto_id="contest_%s"),
    }
    context["may_excuse"] = access.is_own and not any(row.state in ("ASKED", "GRANTED") for row in context["excuses"])
    is_open = any(row.state == Contest.State.OPEN for row in context["contests"])
    context["may_contest"] = access.is_own and verdict.mark != Mark.NONE and not is_open
    return render(request, "attendance/mark.html", context, status=status)


def _flags(enrolment_id: int, session_id: int) -> list[Flag]:
    rows = Flag.objects.filter(evidence__enrolment=enrolment_id, evidence__session=session_id)
    return list(rows.select_related("judged_by", "other__enrolment__user").order_by("-pk"))
