"""A learner's side of assignments: what there is, handing in, versions, receipts."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import content_disposition_header
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campus.core.errors import CampusError, NotAllowed, NotFound
from campus.people.requests import SignedInRequest
from courses.catalog.api import RunAccess, get_readable_run, get_run_for
from courses.catalog.models import Enrolment
from courses.content.api import locked_modules
from courses.content.api import render as render_markdown
from labs.jobs.api import files_of, files_of_bundle, shown_files, typed_files, unshown_files

from .access import get_assignment_for, get_submission_for
from .domain.notebooks import BadNotebook, cells_of
from .domain.reports import for_learner
from .domain.rubrics import from_json
from .grouping import group_of, members_of
from .models import Assignment, GradingRun, LabRun, LateDayBank, Submission
from .submitting import HANDED_IN_STATES, TEXT_FILE, attempts_of, late_days_left, receipt_of, submit_work, take_late_day
from .testing.runs import current_suite
from .words import rule_words, why_words
from .work_lists import assignments_of, run_counts, tallies, work_of


@require_GET
def assignments(request: SignedInRequest, slug: str) -> HttpResponse:
    """List a run's assignments: a learner's with deadlines and results, a teacher's with what is to be graded."""
    access = get_readable_run(request.user, get_run_for(request.user, slug).run)
    found = assignments_of(access, locked_modules(access))
    context: dict[str, Any] = {"access": access, "run": access.run}
    if access.enrolment is not None:
        context["work"] = work_of(found, [access.enrolment], timezone.now())
        context["late_bank"] = LateDayBank.objects.filter(run=access.run, days__gt=0).first()
        context["late_days"] = late_days_left(access.enrolment) if context["late_bank"] else 0
    else:
        testing = run_counts([one.pk for one in found])
        context["tallies"] = [(tally, testing.get(tally.assignment.pk, 0)) for tally in tallies(found, access)]
    return render(request, "assignments/list.html", context)


@require_GET
def assignment(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Show an assignment; to its learner with what was handed in, its results and the form. `?part=results`: these."""
    shown, access = get_assignment_for(request.user, assignment_id)
    if request.GET.get("part") == "results" and access.enrolment is not None:
        newest = Submission.objects.filter(assignment=shown, owners__enrolment=access.enrolment).order_by("-pk").first()
        return _results_part(request, newest)
    return _page(request, shown, access)


@require_POST
def submit(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Hand in a version. What was typed stays in the page when it is refused."""
    shown, access = get_assignment_for(request.user, assignment_id)
    said = request.POST.get("job", "")
    try:
        files = None if shown.kind == Assignment.Kind.LAB else _files(request, shown)
        job_id = int(said) if said.isdecimal() and len(said) < 16 else None
        made = submit_work(assignment_id=shown.pk, user=request.user, files=files, job_id=job_id)
    except (NotFound, NotAllowed):
        raise
    except CampusError as error:
        return _page(request, shown, access, error=error, typed=_typed(request, shown), status=error.status)
    messages.success(request, _("Version %(n)d is handed in.") % {"n": made.number})
    return redirect("assignments:submission", made.pk)


def _files(request: SignedInRequest, shown: Assignment) -> dict[str, bytes]:
    if shown.kind == Assignment.Kind.TEXT:
        return {TEXT_FILE: request.POST.get("text", "").replace("\r\n", "\n").encode()}
    return files_of(request)


def _typed(request: SignedInRequest, shown: Assignment) -> dict[str, Any]:
    return {"text": request.POST.get("text", ""), "files": typed_files(request)}


@require_POST
def late_day(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Take a late day for an assignment."""
    take_late_day(assignment_id=assignment_id, user=request.user)
    messages.success(request, _("One late day is taken: your deadline moved by 24 hours."))
    return redirect("assignments:assignment", assignment_id)


def _page(
    request: SignedInRequest,
    shown: Assignment,
    access: RunAccess,
    *,
    error: CampusError | None = None,
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "assignment": shown,
        "access": access,
        "run": access.run,
        "criteria": from_json(shown.rubric),
        "suite": current_suite(shown),
        "html": mark_safe(render_markdown(shown.brief)),  # noqa: S308 - sanitised by an allow-list
        "error": error,
        "fields": getattr(error, "fields", {}),
        "typed": typed or {},
        "max_bytes": settings.LABS_SOURCE_MAX_BYTES,
    }
    if access.enrolment is not None:
        context |= _mine(shown, access.enrolment)
    return render(request, "assignments/assignment.html", context, status=status)


def _mine(shown: Assignment, enrolment: Enrolment) -> dict[str, Any]:
    now = timezone.now()
    (work,) = work_of([shown], [enrolment], now)
    group = group_of(shown, enrolment)
    attempts = attempts_of(shown, enrolment, group)
    mine = Submission.objects.filter(assignment=shown, owners__enrolment=enrolment)
    versions = list(mine.select_related("returned", "submitted_by").order_by("-pk"))
    is_open = not work.deadline.is_closed(now) and (shown.opens_at is None or now >= shown.opens_at)
    context = {
        "work": work,
        "rule": rule_words(work.deadline),
        "is_past_due": work.deadline.is_past(now),
        "is_closed": work.deadline.is_closed(now),
        "attempts": attempts,
        "versions": versions,
        "group": group,
        "members": members_of(group) if group else [],
        "may_submit": is_open and not attempts.is_used_up and enrolment.state == Enrolment.State.ACTIVE,
        "late_days": late_days_left(enrolment) if shown.allows_late_days and work.deadline.due_at else 0,
        "why": why_words(work.score.why) if work.score else [],
        "results": results_for_learner(versions[0]) if versions else None,
    }
    if shown.kind == Assignment.Kind.LAB:
        runs = LabRun.objects.select_related("job").filter(lab=shown.lab_id, enrolment=enrolment)
        context["runs"] = list(runs.filter(job__state__in=HANDED_IN_STATES).order_by("-job_id")[:10])
    return context


def results_for_learner(submission: Submission) -> dict[str, Any] | None:
    """Return what a learner may know of the newest test run of a version: nothing of hidden tests but a count."""
    run = GradingRun.objects.filter(submission=submission, batch=None).order_by("-pk").first()
    if run is None:
        return None
    seen = for_learner(run.report)
    return {"state": run.state, "visible": seen.visible, "hidden": seen.hidden, "hidden_passed": seen.hidden_passed}


def _results_part(request: SignedInRequest, shown: Submission | None) -> HttpResponse:
    """Answer what a page asks for that waits for results. Raises NotFound where there are none to wait for."""
    results = results_for_learner(shown) if shown is not None else None
    if results is None:
        raise NotFound
    return render(request, "assignments/_results.html", {"results": results})


@require_GET
def submission(request: SignedInRequest, submission_id: int) -> HttpResponse:
    """Show a version as it was handed in, with its receipt and results, to its learner and to graders."""
    shown, access, is_grader = get_submission_for(request.user, submission_id)
    if request.GET.get("part") == "results":
        return _results_part(request, shown)
    files = files_of_bundle(shown.source.files)
    context = {
        "submission": shown,
        "assignment": shown.assignment,
        "access": access,
        "run": access.run,
        "is_grader": is_grader,
        "receipt": receipt_of(shown),
        "results": results_for_learner(shown),
        **shown_work(files),
    }
    return render(request, "assignments/submission.html", context)


def shown_work(files: dict[str, bytes]) -> dict[str, Any]:
    """Return files for reading: notebooks and Markdown drawn safely, other text as code, the rest by name."""
    notebooks, plain = [], dict(files)
    for path, body in files.items():
        if path.endswith(".ipynb"):
            try:
                cells = [(cell, _drawn(cell.source) if cell.kind == "markdown" else "") for cell in cells_of(body)]
            except BadNotebook:
                continue
            notebooks.append({"path": path, "cells": cells})
            plain.pop(path)
    prose = [
        {"path": path, "html": _drawn(plain[path].decode("utf-8", "replace"))} for path in plain if path == TEXT_FILE
    ]
    code = {path: body for path, body in plain.items() if path != TEXT_FILE}
    return {"notebooks": notebooks, "prose": prose, "code": shown_files(code), "others": sorted(unshown_files(code))}


def _drawn(markdown: str) -> str:
    return mark_safe(render_markdown(markdown[:200_000]))  # noqa: S308 - sanitised by an allow-list


@require_GET
def download(request: SignedInRequest, submission_id: int, path: str) -> HttpResponse:
    """Send one file of a version as bytes that no browser runs."""
    shown, _access, _is_grader = get_submission_for(request.user, submission_id)
    body = files_of_bundle(shown.source.files).get(path)
    if body is None:
        raise NotFound
    disposition = content_disposition_header(as_attachment=True, filename=path.rpartition("/")[2])
    headers = {"Content-Disposition": disposition or "attachment", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, content_type="application/octet-stream", headers=headers)


@require_GET
def receipt(request: SignedInRequest, submission_id: int, code: str) -> HttpResponse:
    """Check a receipt: whoever has its code learns what was handed in when, and not by whom."""
    found = Submission.objects.select_related("assignment").filter(pk=submission_id).first()
    is_true = found is not None and constant_time_compare(receipt_of(found), code)
    context = {"submission": found if is_true else None, "code": code}
    return render(request, "assignments/receipt.html", context, status=200 if is_true else 404)
