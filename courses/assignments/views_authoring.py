"""Writing assignments, their tests, and deadlines that differ."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from campus.core.errors import CampusError
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.catalog.api import form_page
from courses.catalog.models import Cohort
from courses.content.api import get_module_to_edit
from courses.content.api import render as render_markdown

from .access import get_assignment_to_edit, graded_by
from .authoring import change_assignment, open_assignment, read_rubric, save_suite
from .extending import accommodate, extend, revoke, set_cohort_deadline
from .forms_work import AccommodationForm, AssignmentForm, CohortDeadlineForm, ExtensionForm, SuiteForm
from .models import Assignment, DeadlineChange, TestSuite
from .offer_list import count_open


@require_http_methods(["GET", "POST"])
def new_assignment(request: SignedInRequest, module_id: int) -> HttpResponse:
    """Write a new assignment."""
    module, access = get_module_to_edit(request.user, module_id)
    form = AssignmentForm(request.POST or None, module_id=module_id)

    def save(fields: dict[str, Any]) -> str:
        fields["rubric"] = read_rubric(fields.pop("rubric_text"), fields.get("points"))
        made = open_assignment(module_id=module_id, actor=request.user, **fields)
        return reverse("assignments:assignment", args=[made.pk])

    back = reverse("catalog:run", args=[access.run.slug])
    return _assignment_form(request, form, save, _("Add an assignment"), back, module.title)


@require_http_methods(["GET", "POST"])
def edit_assignment(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Change an assignment."""
    shown, _access = get_assignment_to_edit(request.user, assignment_id)
    form = AssignmentForm(request.POST or None, module_id=shown.module_id, instance=shown)
    back = reverse("assignments:assignment", args=[assignment_id])

    def save(fields: dict[str, Any]) -> str:
        fields["rubric"] = read_rubric(fields.pop("rubric_text"), fields.get("points"))
        change_assignment(assignment_id=assignment_id, fields=fields, actor=request.user)
        return back

    return _assignment_form(request, form, save, _("Change the assignment"), back, shown.module.title)


def _assignment_form(
    request: SignedInRequest,
    form: AssignmentForm,
    save: Callable[[dict[str, Any]], str],
    title: str,
    back: str,
    hint: str,
) -> HttpResponse:
    html = mark_safe(render_markdown((form["brief"].value() or "")[:100_000]))  # noqa: S308 - sanitised
    return form_page(
        request, form, save, title=title, back=back, hint=hint, template="assignments/assignment_form.html", html=html
    )


@require_http_methods(["GET", "POST"])
def edit_tests(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Write the next version of an assignment's tests."""
    shown, access = get_assignment_to_edit(request.user, assignment_id)
    newest = TestSuite.objects.filter(assignment=shown).order_by("-version").first()
    names = ("visible", "hidden", "seed", "wall_s", "gpus")
    initial = {name: getattr(newest, name) for name in names} if newest else {}
    environment = newest.environment_id if newest else (shown.lab.environment_id if shown.lab else None)
    form = SuiteForm(request.POST or None, initial=initial | {"environment": environment})
    back = reverse("assignments:assignment", args=[assignment_id])

    def save(fields: dict[str, Any]) -> str:
        chosen = fields.pop("environment")
        save_suite(
            assignment_id=assignment_id, environment_id=chosen.pk if chosen else None, actor=request.user, **fields
        )
        return back

    return form_page(
        request, form, save, title=_("Tests"), back=back, hint=shown.title, template="assignments/tests_form.html",
        assignment=shown, run=access.run, newest=newest, done=_("Saved as a new version."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def deadlines(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Show who has another deadline and why, and give some."""
    shown, access = get_assignment_to_edit(request.user, assignment_id)
    learners = graded_by(access)
    cohorts = Cohort.objects.filter(pk__in=[cohort.pk for cohort in access.taught])
    what = request.POST.get("what", "")

    def bound(name: str) -> Any:
        return request.POST if what == name else None

    given = {
        "cohort": CohortDeadlineForm(bound("cohort"), cohorts=cohorts),
        "extension": ExtensionForm(bound("extension"), learners=learners, group_set_id=shown.group_set_id),
        "accommodation": AccommodationForm(bound("accommodation"), learners=learners),
    }
    if what in given and _give(given[what], what, shown, request):
        return redirect("assignments:deadlines", assignment_id)
    changes = DeadlineChange.objects.select_related("enrolment__user", "cohort", "approver").filter(
        Q(assignment=shown) | Q(assignment=None, enrolment__run=access.run),
        Q(cohort__in=access.taught) | Q(enrolment__cohort__in=access.taught),
    )
    context = {
        "assignment": shown, "run": access.run, "given": given, "changes": changes.order_by("-pk"),
        "open_offers": count_open(shown, access),
    }  # fmt: skip
    return render(request, "assignments/deadlines.html", context, status=400 if request.method == "POST" else 200)


def _give(form: forms.Form, what: str, shown: Assignment, request: SignedInRequest) -> bool:
    if not form.is_valid():
        return False
    said, actor = form.cleaned_data, request.user
    try:
        if what == "cohort":
            set_cohort_deadline(assignment=shown, actor=actor, **said)
        elif what == "extension":
            extend(assignment=shown, enrolments=said.pop("learners"), actor=actor, **said)
        else:
            accommodate(enrolment=said.pop("learner"), actor=actor, **said)
    except CampusError as error:
        add_service_error(form, error)
        return False
    messages.success(request, _("Saved."))
    return True


@require_POST
def revoke_deadline(request: SignedInRequest, assignment_id: int, change_id: int) -> HttpResponse:
    """Take a deadline back that was given."""
    shown, access = get_assignment_to_edit(request.user, assignment_id)
    revoke(change_id=change_id, assignment=shown, cohorts=access.taught, actor=request.user)
    messages.success(request, _("It is taken back; the history keeps it."))
    return redirect("assignments:deadlines", assignment_id)
