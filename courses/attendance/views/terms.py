"""A cohort's term: the grid that moves by arrows, and its export."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from campus.core import audit
from campus.core.errors import NotFound
from campus.people.requests import SignedInRequest
from courses.attendance import exports, selectors
from courses.attendance.forms import GIVEN
from courses.attendance.words import letter
from courses.catalog.api import get_cohort_for


@require_GET
def term(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """Show a cohort's term to its staff."""
    cohort = get_cohort_for(request.user, cohort_id)
    context = {
        "cohort": cohort,
        "grid": selectors.grid(cohort),
        "legend": [(mark, letter(mark), word) for mark, word in GIVEN],
        "letters": {mark: letter(mark) for mark, _word in GIVEN} | {"NONE": letter("NONE")},
    }
    return render(request, "attendance/term.html", context)


@require_GET
def export(request: SignedInRequest, cohort_id: int, kind: str) -> HttpResponse:
    """Download a cohort's term as CSV or XLSX; that somebody did is noted."""
    cohort = get_cohort_for(request.user, cohort_id)
    if kind not in exports.FORMS:
        raise NotFound
    audit.record(
        actor=request.user, verb="attendance.exported", target=cohort, scope_path=cohort.scope.path,
        changes={"format": ("", kind)},
    )  # fmt: skip
    return exports.export(selectors.grid(cohort), f"attendance-{cohort.run.slug}-{cohort.pk}", kind)
