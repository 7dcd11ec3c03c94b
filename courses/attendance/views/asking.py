"""What a learner asks: an excuse with documents, another mark, and that lab runs count."""

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campus.core import audit
from campus.core.errors import CampusError, NotAllowed, NotFound
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.attendance.access import get_learner_for, get_mark_for
from courses.attendance.forms import ContestForm, ExcuseForm
from courses.attendance.models import Excuse, ExcuseDocument
from courses.attendance.services import asking

from .learners import mark_page


@require_POST
def excuse(request: SignedInRequest, enrolment_id: int, session_id: int) -> HttpResponse:
    """Ask to be excused."""
    access, session = get_mark_for(request.user, enrolment_id, session_id)
    if not access.is_own:
        raise NotAllowed
    form = ExcuseForm(request.POST, auto_id="excuse_%s")
    if form.is_valid():
        try:
            asking.ask_excuse(
                enrolment=access.enrolment, session=session, documents=request.FILES.getlist("documents"),
                **form.cleaned_data,
            )  # fmt: skip
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("Sent. Staff of your cohort decide it; you are told."))
            return redirect("attendance:mark", enrolment_id, session_id)
    return mark_page(request, access, session, excuse_form=form, status=400)


@require_POST
def withdraw(request: SignedInRequest, excuse_id: int) -> HttpResponse:
    """Take one's request back."""
    found = Excuse.objects.filter(pk=excuse_id, enrolment__user=request.user).first()
    if found is None:
        raise NotFound
    asking.withdraw_excuse(excuse=found, actor=request.user, now=timezone.now())
    messages.success(request, _("Your request is withdrawn."))
    return redirect("attendance:mark", found.enrolment_id, found.session_id)


@require_POST
def contest(request: SignedInRequest, enrolment_id: int, session_id: int) -> HttpResponse:
    """Dispute a mark."""
    access, session = get_mark_for(request.user, enrolment_id, session_id)
    if not access.is_own:
        raise NotAllowed
    form = ContestForm(request.POST, auto_id="contest_%s")
    if form.is_valid():
        try:
            asking.contest(enrolment=access.enrolment, session=session, text=form.cleaned_data["text"])
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("Sent. The answer comes here; you are told."))
            return redirect("attendance:mark", enrolment_id, session_id)
    return mark_page(request, access, session, contest_form=form, status=400)


@require_POST
def lab_consent(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Let one's lab runs count as evidence, or not any more."""
    access = get_learner_for(request.user, enrolment_id)
    if not access.is_own:
        raise NotAllowed
    is_given = request.POST.get("agree") == "yes"
    asking.set_lab_consent(enrolment=access.enrolment, is_given=is_given, now=timezone.now())
    said = _("Your lab runs count from now on.") if is_given else _("Your lab runs no longer count.")
    messages.success(request, said)
    return redirect("attendance:mine")


@require_GET
def document(request: SignedInRequest, document_id: int) -> FileResponse:
    """Download a document of an excuse; that staff did is noted."""
    known = ExcuseDocument.objects.select_related("excuse").filter(pk=document_id) if document_id < 2**63 else None
    found = known.first() if known is not None else None
    if found is None:
        raise NotFound
    access, _session = get_mark_for(request.user, found.excuse.enrolment_id, found.excuse.session_id)
    if not access.is_own:
        audit.record(
            actor=request.user, verb="attendance.document_read", target=found.excuse, subject=access.enrolment.user,
            scope_path=access.enrolment.cohort.scope.path,
        )  # fmt: skip
    response = FileResponse(
        found.file.open("rb"), as_attachment=True, filename=found.name, content_type=found.media_type
    )
    # What somebody uploaded must never run as a page of ours.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
