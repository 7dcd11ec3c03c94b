"""Grading: who handed in, the desk, publishing, excusing, regrades."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, Conflict, InvalidInput, NotAllowed, NotFound
from campus.people.requests import SignedInRequest
from courses.catalog.api import RunAccess
from labs.jobs.api import files_of_bundle

from .access import (
    get_assignment_to_edit,
    get_assignment_to_grade,
    get_learner_to_grade,
    graded_by,
    may_publish,
    may_regrade,
    regradable,
)
from .desk import desk_of, keep_comment
from .domain.regrades import change_of
from .domain.rubrics import Criterion, from_json, points_of
from .models import Assignment, RegradeBatch
from .offer_list import count_open
from .publishing import publish_scores
from .regrading import diff_of, discard_regrade, progress_of, publish_regrade, start_regrade
from .scores import GIVEN, Grading, adjust, excuse, save_score, sharers
from .testing.runs import current_suite
from .views_work import shown_work
from .work_lists import rows_to_grade
from .work_rows import rows_html


@require_GET
def submissions(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """List the learners of one's cohorts with their newest work and score."""
    shown, access = get_assignment_to_grade(request.user, assignment_id)
    rows = rows_to_grade(shown, access, timezone.now())
    shows_groups = shown.group_set_id is not None and not shown.is_anonymous
    context = {
        "assignment": shown,
        "access": access,
        "regradable": regradable(access) if len(access.cohorts) > 1 else [],
        "may_regrade_everybody": may_regrade(access, None),
        "run": access.run,
        "rows": rows_html(rows, assignment_id=shown.pk, shows_groups=shows_groups),
        "shows_groups": shows_groups,
        "first": next((row for row in rows if row.is_ungraded), rows[0] if rows else None),
        "drafts": sum(1 for row in rows if _is_draft(row.score) and may_publish(access, row.enrolment)),
        "open_offers": count_open(shown, access) if access.may_edit else 0,
        "has_tests": current_suite(shown) is not None,
        "regrade": RegradeBatch.objects.filter(assignment=shown, state=RegradeBatch.State.RUNNING).first(),
    }
    return render(request, "assignments/submissions.html", context)


def _is_draft(score: Any) -> bool:
    return score is not None and score.state == "DRAFT" and score.raw is not None


@require_http_methods(["GET", "POST"])
def desk(request: SignedInRequest, assignment_id: int, enrolment_id: int) -> HttpResponse:
    """Grade one learner's work; after saving, on to the next one that is not graded."""
    shown, access = get_assignment_to_grade(request.user, assignment_id)
    learner = get_learner_to_grade(access, enrolment_id)
    criteria = from_json(shown.rubric)
    if request.method == "GET":
        return _desk_page(request, shown, access, enrolment_id)
    try:
        grading = _grading(request.POST, criteria)
        version = int(request.POST.get("version", "0") or 0)
        save_score(assignment=shown, enrolment=learner, version=version, grading=grading, actor=request.user)
        if request.POST.get("keep_comment"):
            keep_comment(run_id=access.run.pk, text=grading.comment, author=request.user)
    except (NotFound, NotAllowed):
        raise
    except (CampusError, ValueError) as error:
        known = error if isinstance(error, CampusError) else InvalidInput({"version": _("Open this page again.")})
        return _desk_page(request, shown, access, enrolment_id, error=known)
    messages.success(request, _("Saved."))
    after = request.POST.get("then", "")
    return redirect("assignments:desk", shown.pk, int(after) if after.isdecimal() and len(after) < 16 else enrolment_id)


def _grading(said: Mapping[str, str], criteria: tuple[Criterion, ...]) -> Grading:
    """Read the desk's form. Raises InvalidInput (picks, given)."""
    keys, picks = {one.key for one in criteria}, {}
    for name, chosen in said.items():
        key = name.removeprefix("pick-")
        if key == name or not chosen:
            continue
        points = points_of(chosen)
        if points is None or key not in keys:
            raise InvalidInput({"picks": _("The rubric changed while you had it open. Pick again.")})
        picks[key] = points
    typed = said.get(GIVEN, "").strip()
    given = points_of(typed) if typed else None
    if typed and given is None:
        raise InvalidInput({GIVEN: _("Enter points from 0 up, with at most two decimals.")})
    return Grading(picks, given, said.get("comment", "").strip()[:20_000])


def _desk_page(
    request: SignedInRequest,
    shown: Assignment,
    access: RunAccess,
    enrolment_id: int,
    error: CampusError | None = None,
) -> HttpResponse:
    found = desk_of(shown, access, enrolment_id, timezone.now())
    said: Mapping[str, str] = request.POST if error is not None else {}
    context: dict[str, Any] = {
        "assignment": shown,
        "access": access,
        "run": access.run,
        "desk": found,
        "criteria": found.with_picks(said),
        "given": said.get(GIVEN, found.given),
        "comment": said.get("comment", found.score.comment if found.score else ""),
        "version": found.score.version if found.score else 0,
        "error": error,
        "theirs": error.facts if isinstance(error, Conflict) else None,
        "may_publish": may_publish(access, found.row.enrolment),
        "sharers": sharers(found.submission) if found.submission and found.submission.group_id else [],
        **(shown_work(files_of_bundle(found.submission.source.files)) if found.submission else {}),
    }
    return render(request, "assignments/desk.html", context, status=error.status if error else 200)


@require_POST
def excuse_learner(request: SignedInRequest, assignment_id: int, enrolment_id: int) -> HttpResponse:
    """Leave an assignment out for a learner."""
    shown, access = get_assignment_to_grade(request.user, assignment_id)
    learner = get_learner_to_grade(access, enrolment_id)
    if not may_publish(access, learner):
        raise NotAllowed
    try:
        version = int(request.POST.get("version", "0") or 0)
        excuse(
            assignment=shown, enrolment=learner, version=version, reason=request.POST.get("reason", ""),
            actor=request.user,
        )  # fmt: skip
    except (InvalidInput, Conflict) as error:
        return _desk_page(request, shown, access, enrolment_id, error=error)
    except ValueError:
        raise NotFound from None
    messages.success(request, _("This assignment is left out for this learner."))
    return redirect("assignments:desk", shown.pk, enrolment_id)


@require_POST
def adjust_member(request: SignedInRequest, assignment_id: int, enrolment_id: int) -> HttpResponse:
    """Give one member of a group more or fewer points than the group's work got."""
    shown, access = get_assignment_to_grade(request.user, assignment_id)
    learner = get_learner_to_grade(access, enrolment_id)
    try:
        adjust(
            assignment=shown, enrolment=learner, version=int(request.POST.get("version", "0") or 0),
            points=_signed(request.POST.get("points", "").strip()), reason=request.POST.get("reason", ""),
            actor=request.user,
        )  # fmt: skip
    except (InvalidInput, Conflict) as error:
        return _desk_page(request, shown, access, enrolment_id, error=error)
    except ValueError:
        raise NotFound from None
    messages.success(request, _("Saved."))
    return redirect("assignments:desk", shown.pk, enrolment_id)


def _signed(text: str) -> Decimal:
    """Read points that may be taken as well as given. Raises InvalidInput (points)."""
    points = points_of(text.removeprefix("+").removeprefix("-"))
    if points is None:
        raise InvalidInput({"points": _("Enter points with at most two decimals, with - to take some.")})
    return -points if text.startswith("-") else points


@require_POST
def publish(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Publish every draft of the cohorts that one instructs."""
    shown, access = get_assignment_to_grade(request.user, assignment_id)
    learners = [one.pk for one in graded_by(access) if may_publish(access, one)]
    if not learners:
        raise NotAllowed(_("Instructors publish grades; assistants only give them."))
    count = publish_scores(assignment=shown, enrolment_ids=learners, actor=request.user)
    words = ngettext("%(n)d grade is published.", "%(n)d grades are published.", count)
    messages.success(request, words % {"n": count})
    return redirect("assignments:submissions", shown.pk)


@require_POST
def regrade(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Test the newest version of a cohort's work with the newest tests, or of everybody's."""
    shown, access = get_assignment_to_edit(request.user, assignment_id)
    cohort_id = _cohort_id(request.POST.get("cohort", ""))
    if not may_regrade(access, cohort_id):
        raise NotAllowed(_("You decide about the grades of your own cohorts. Choose one of them."))
    batch = start_regrade(
        assignment=shown, cohort_id=cohort_id, reason=request.POST.get("reason", ""), actor=request.user
    )
    return redirect("assignments:regrade", shown.pk, batch.pk)


def _cohort_id(text: str) -> int | None:
    """The cohort that a form names, None for everybody. Raises InvalidInput."""
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidInput({"cohort": _("Choose a cohort of the list.")})
    return int(text) if text else None


@require_http_methods(["GET", "POST"])
def regrade_batch(request: SignedInRequest, assignment_id: int, batch_id: int) -> HttpResponse:
    """Show how far a regrade is and what it would change; publish or discard it. `?part=live` gives what changes."""
    shown, access = get_assignment_to_edit(request.user, assignment_id)
    related = RegradeBatch.objects.select_related("suite", "actor", "cohort")
    batch = related.filter(pk=batch_id, assignment=shown).first()
    if batch is None:
        raise NotFound
    may_decide = may_regrade(access, batch.cohort_id)
    if request.method == "POST":
        if not may_decide:
            raise NotAllowed
        if request.POST.get("what") == "discard":
            discard_regrade(batch_id=batch.pk, actor=request.user)
            messages.success(request, _("Discarded: no grade changed."))
        else:
            count = publish_regrade(batch_id=batch.pk, actor=request.user)
            words = ngettext("%(n)d grade changed.", "%(n)d grades changed.", count)
            messages.success(request, words % {"n": count})
        return redirect("assignments:submissions", shown.pk)
    found = diff_of(batch)
    names = {row.enrolment.pk: row.name for row in rows_to_grade(shown, access, timezone.now())}
    elsewhere = _("a learner of another cohort")
    rows = [(names.get(row.enrolment_id, elsewhere), row, change_of(row)) for row in found.changed]
    context = {
        "assignment": shown, "run": access.run, "batch": batch, "progress": progress_of(batch), "diff": found,
        "rows": rows, "is_open": batch.state == RegradeBatch.State.RUNNING, "may_decide": may_decide,
    }  # fmt: skip
    name = "_regrade" if request.GET.get("part") == "live" else "regrade"
    return render(request, f"assignments/{name}.html", context)
