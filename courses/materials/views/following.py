"""How far the learners of one's cohorts are, and the bar that finishes a video."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campus.core import audit
from campus.core.spreadsheets import csv_response
from campus.people.requests import SignedInRequest
from courses.catalog.api import RunAccess, get_editable_run
from courses.materials.access import get_run_to_follow, get_watcher_for, newest_version
from courses.materials.following import export_rows, rows_html, table_of
from courses.materials.forms import WatchRuleForm
from courses.materials.models import Material, WatchCredit, WatchEvidence, WatchRule
from courses.materials.services.watching import finish_pct_of, set_watch_rule
from courses.materials.watching import bar_of, report_words

_MOST_REPORTS = 50


@require_GET
def run(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show every learner of one's cohorts beside every material."""
    access = get_run_to_follow(request.user, slug)
    rule = WatchRule.objects.filter(run=access.run).first() or WatchRule(run=access.run)
    return _run_page(request, access, WatchRuleForm(instance=rule))


def _run_page(request: SignedInRequest, access: RunAccess, form: WatchRuleForm, status: int = 200) -> HttpResponse:
    table = table_of(access)
    context = {"access": access, "run": access.run, "table": table, "rows": rows_html(table), "rule_form": form}
    return render(request, "materials/run.html", context, status=status)


@require_GET
def export(request: SignedInRequest, slug: str) -> HttpResponse:
    """The same as CSV."""
    access = get_run_to_follow(request.user, slug)
    for cohort in access.taught:
        audit.record(actor=request.user, verb="material.exported", target=cohort, scope_path=cohort.scope.path)
    return csv_response(export_rows(table_of(access)), f"materials-{slug}")


@require_POST
def rule(request: SignedInRequest, slug: str) -> HttpResponse:
    """Set how much of a video finishes it."""
    access = get_run_to_follow(request.user, slug)
    get_editable_run(request.user, access.run)
    form = WatchRuleForm(request.POST)
    if not form.is_valid():
        return _run_page(request, access, form, status=400)
    set_watch_rule(run=access.run, finish_pct=form.cleaned_data["finish_pct"], actor=request.user)
    messages.success(request, _("Saved."))
    return redirect("materials:run", slug)


@require_GET
def learner(request: SignedInRequest, material_id: int, enrolment_id: int) -> HttpResponse:
    """Show what one learner watched of a video, and what of it did not count."""
    material, access, enrolment = get_watcher_for(request.user, material_id, enrolment_id)
    version = newest_version(material)
    context = {"material": material, "access": access, "run": access.run, "enrolment": enrolment, "version": version}
    if version is not None and material.kind == Material.Kind.VIDEO:
        credit = WatchCredit.objects.filter(version=version, enrolment=enrolment).first()
        finish_pct = finish_pct_of(material)
        reports = WatchEvidence.objects.filter(version=version, enrolment=enrolment).order_by("-id")
        context |= {
            "credit": credit,
            "bar": bar_of(version, credit, finish_pct),
            "reports": [report_words(one) for one in reports[:_MOST_REPORTS]],
            "most_reports": _MOST_REPORTS,
        }
    return render(request, "materials/learner.html", context)
