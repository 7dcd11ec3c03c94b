"""Programmes, courses, terms, runs and cohorts, for administrators."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import Count, Model, Prefetch
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import NotFound
from campus.people.api import ADMINISTERING, standing_of
from campus.people.requests import SignedInRequest
from campus.places.models import Campus
from courses.catalog import services
from courses.catalog.forms import CohortForm, CourseForm, NewCohortForm, ProgrammeForm, RunForm, TermForm
from courses.catalog.models import Cohort, Course, CourseRun, Programme, Term

from .form_page import form_page


@require_GET
def overview(request: SignedInRequest) -> HttpResponse:
    """Show everything that is given, and what may be opened."""
    _require_administrator(request)
    runs = CourseRun.objects.select_related("term").prefetch_related(
        Prefetch("cohorts", Cohort.objects.select_related("campus", "scope", "account"))
    )
    courses = Course.objects.prefetch_related(Prefetch("runs", runs))
    context = {
        "programmes": Programme.objects.prefetch_related(Prefetch("courses", courses)),
        "terms": Term.objects.annotate(run_count=Count("runs")),
    }
    return render(request, "catalog/administration.html", context)


@require_http_methods(["GET", "POST"])
def programme(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """Open or change a programme."""
    return _edit(request, Programme, ProgrammeForm, pk, services.open_programme, services.change_programme, "programme")


@require_http_methods(["GET", "POST"])
def course(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """Open or change a course."""
    return _edit(request, Course, CourseForm, pk, services.open_course, services.change_course, "course")


@require_http_methods(["GET", "POST"])
def term(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """Open or change a term."""
    return _edit(request, Term, TermForm, pk, services.open_term, services.change_term, "term")


@require_http_methods(["GET", "POST"])
def run(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """Open or change a run."""
    return _edit(request, CourseRun, RunForm, pk, services.open_run, services.change_run, "run")


@require_http_methods(["GET", "POST"])
def new_cohort(request: SignedInRequest, run_id: int) -> HttpResponse:
    """Open a cohort of a run."""
    _require_administrator(request)
    of = _found(CourseRun.objects.select_related("course", "term"), run_id)
    mine = Campus.objects.filter(is_open=True, scope__path__overlap=standing_of(request.user).scope_ids(ADMINISTERING))
    form = NewCohortForm(request.POST or None, campuses=mine, initial={"seats": 30, "learner_quota_s": 20 * 3600})

    def save(fields: dict[str, Any]) -> str:
        campus = fields.pop("campus")
        cohort = services.open_cohort(run_id=of.pk, campus_id=campus.pk, actor=request.user, **fields)
        return reverse("catalog:roster", args=[cohort.pk])

    return form_page(
        request, form, save, title=_("Open a cohort"), hint=str(of), back=reverse("catalog:administration"),
        done=_("The cohort is open. Enrol people or import a class list."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def edit_cohort(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a cohort of one's own campus."""
    cohort = _found(Cohort.objects.select_related("run__course", "run__term", "campus__scope"), pk)
    if not standing_of(request.user).holds(ADMINISTERING, cohort.campus.scope.path):
        raise NotFound
    # A form of its own copy: a refused form must not change what the page says of the cohort.
    form = CohortForm(request.POST or None, instance=Cohort.objects.get(pk=pk))

    def save(fields: dict[str, Any]) -> str:
        services.change_cohort(cohort_id=pk, fields=fields, actor=request.user)
        return reverse("catalog:roster", args=[pk])

    return form_page(
        request, form, save, title=cohort.name, hint=str(cohort.run), back=reverse("catalog:roster", args=[pk])
    )


def _edit(
    request: SignedInRequest,
    model: type[Model],
    form_class: type[forms.ModelForm],
    pk: int | None,
    open_one: Callable[..., Any],
    change_one: Callable[..., Any],
    noun: str,
) -> HttpResponse:
    """Open one without `pk`, else change it."""
    _require_administrator(request)
    found = None if pk is None else _found(model._default_manager.all(), pk)
    form = form_class(request.POST or None, instance=found)

    def save(fields: dict[str, Any]) -> str:
        if pk is None:
            given = {f"{key}_id" if isinstance(value, Model) else key: getattr(value, "pk", value)
                     for key, value in fields.items()}  # fmt: skip
            open_one(actor=request.user, **given)
        else:
            change_one(**{f"{noun}_id": pk}, fields=fields, actor=request.user)
        return reverse("catalog:administration")

    titles = {
        "programme": (_("Open a programme"), _("Change the programme")),
        "course": (_("Open a course"), _("Change the course")),
        "term": (_("Open a term"), _("Change the term")),
        "run": (_("Give a course in a term"), _("Change the run")),
    }
    title = titles[noun][0 if pk is None else 1]
    return form_page(request, form, save, title=title, back=reverse("catalog:administration"))


def _found(rows: Any, pk: int) -> Any:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def _require_administrator(request: SignedInRequest) -> None:
    """Strangers get 404: the page does not exist for them."""
    if not standing_of(request.user).is_administering:
        raise NotFound
