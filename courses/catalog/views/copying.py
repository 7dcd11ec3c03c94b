"""Copying a run into another term: a form, a preview of what will be made, and the copy."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campus.core.errors import CampusError, NotFound
from campus.core.form_errors import add_service_error
from campus.people.api import standing_of
from campus.people.requests import SignedInRequest
from courses.catalog.access import get_editable_run
from courses.catalog.forms import CopyForm
from courses.catalog.models import CourseRun, Term
from courses.catalog.services.copying import copy_run, preview_copy


@require_http_methods(["GET", "POST"])
def copy(request: SignedInRequest, run_id: int) -> HttpResponse:
    """Ask where to, show what will be made with old and new dates (GET), make it (POST)."""
    run = _run_to_copy(request, run_id)
    given = request.POST if request.method == "POST" else request.GET if "term" in request.GET else None
    form = CopyForm(given, run=run, initial=_initial(run))
    context: dict[str, Any] = {"run": run, "form": form}
    if form.is_bound and form.is_valid():
        chosen = form.cleaned_data
        try:
            if request.method == "POST":
                made = copy_run(
                    run_id=run.pk, term_id=chosen["term"].pk, slug=chosen["slug"], take=chosen["take"],
                    weeks=chosen["weeks"], key=chosen["key"], actor=request.user,
                )  # fmt: skip
                words = _("%(run)s is made. Learners see it once it is published.")
                messages.success(request, words % {"run": made})
                return redirect("catalog:run", made.slug)
            names = ("term", "slug", "weeks", "take", "key")
            context["hidden"] = [(name, value) for name in names for value in request.GET.getlist(name)]
            context["preview"] = preview_copy(run=run, term=chosen["term"], take=chosen["take"], weeks=chosen["weeks"])
        except CampusError as error:
            add_service_error(form, error)
    return render(request, "catalog/copy.html", context, status=400 if form.errors else 200)


def _initial(run: CourseRun) -> dict[str, Any]:
    """The next term in which the course is not given yet, and an address for it."""
    later = Term.objects.exclude(runs__course=run.course_id).filter(starts_on__gt=run.term.starts_on)
    following = later.order_by("starts_on").first()
    slug = slugify(f"{run.course.code}-{following.slug}")[:60] if following else ""
    return {"key": uuid.uuid4(), "term": following, "slug": slug}


def _run_to_copy(request: SignedInRequest, run_id: int) -> CourseRun:
    """Return the run for administrators who may change it. Raises NotFound: the page does not exist for others."""
    run = CourseRun.objects.select_related("course", "term").filter(pk=min(run_id, 2**62)).first()
    if run is None or not standing_of(request.user).is_administering:
        raise NotFound
    return get_editable_run(request.user, run).run
